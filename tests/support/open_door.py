"""The door of a site's agent as tests run it: an agent that says what a test wants, and a door in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Self

from runbooks.agent.door.answers import Answers
from runbooks.agent.door.callers import Callers
from runbooks.agent.door.refusals import Refusals
from runbooks.agent.door.server import DoorServer
from runbooks.agent.doors import Doors
from runbooks.agent.published import Publisher
from runbooks.agent.rules_line import Rules, RulesLine

HERE = IPv4Address("127.0.0.1")
STRANGER, OPERATOR, GATEWAY = "127.0.0.9", "127.0.0.8", "127.0.3.1"
CALLERS = Callers(HERE, [IPv4Network("127.0.3.0/24")], (), [IPv4Network(OPERATOR)])


class SaidSite:
    """An agent of which a test says what it knows.

    Args:
        folder: where it publishes.
        described: what `/state` says beside the doors.
    """

    def __init__(self, folder: Path, described: Mapping[str, Any] | None = None, **options: Any) -> None:
        self.folder, self.doors = folder, Doors(databases=True, writes=False, because="a test")
        self.described: dict[str, Any] = {"lease_seconds_left": 0.0, **(described or {})}
        self.told: list[str] = []
        self.publisher = Publisher(folder, lambda: self.doors, lambda: self.described, self.told.append, **options)

    def speaks(self) -> None:
        """Publish from now on, for the first time before this returns: who asks then has an answer."""
        self.publisher.publish()
        self.publisher.start()

    def says(self, *, writes: bool, **described: Any) -> None:
        """Learn something, and publish it."""
        self.doors = Doors(databases=True, writes=writes, because="a test")
        self.described.update(described)
        self.publisher.ring()


class OpenDoor:
    """A door in a thread of its own.

    Args:
        folder: where its agent publishes.
        callers: who may see what.
        address: where it listens.
        rules: what the agent answers about its kernel; None for nothing.
        refusals: writes down who was refused.
    """

    def __init__(
        self,
        folder: Path,
        callers: Callers = CALLERS,
        address: str = str(HERE),
        rules: Rules | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        self._server, self._address = DoorServer(callers, Answers(folder, callers), refusals), address
        self._line = RulesLine(folder, rules, lambda _line: None) if rules else None
        self.port = 0

    def __enter__(self) -> Self:
        if self._line:
            self._line.start()
        listening = threading.Event()

        async def serve() -> None:
            self._loop, self._leaving = asyncio.get_running_loop(), asyncio.Event()
            async with await self._server.listen(IPv4Address(self._address), 0) as opened:
                self.port = opened.sockets[0].getsockname()[1]
                listening.set()
                await self._leaving.wait()

        # The runner ends what is still asked and closes the loop in its own thread. What only stopped is ended by the
        # garbage collection of any other thread, and Python 3.11 dies of that now and then.
        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        self._thread.start()
        assert listening.wait(20)
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._leaving.set)
        self._thread.join(10)
        assert not self._thread.is_alive(), "a question did not end when it was told to"
        if self._line:
            self._line.stop()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self._address}:{self.port}"
