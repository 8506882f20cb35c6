"""The browsers of the benchmark: `python click_player.py PORT CONNECTIONS EVENTS SIZE SECONDS`.

Each connection sends its request again as soon as it is answered. After the first second it prints `ready`, and after
the measured ones how many answers came, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import cast

import uvloop
from click_batches import request

WARM_SECONDS = 1.0
END = b"\r\n\r\n"


class Browser(asyncio.Protocol):
    """One connection."""

    taken = others = 0  # of all connections
    is_over = False

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._data)

    def data_received(self, data: bytes) -> None:
        """Count an answer; all of them are so short that they come in one piece."""
        if b" 204 " in data[:16]:
            Browser.taken += 1
        else:
            Browser.others += 1
        if not Browser.is_over and self._transport is not None:
            self._transport.write(self._data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 the loop gives it
        if not Browser.is_over:
            Browser.others += 1


async def play(port: int, connections: int, events: int, size: int, seconds: float) -> None:
    loop, chance = asyncio.get_running_loop(), random.Random(1)
    for _ in range(connections):
        data = request(events, size, chance)
        await loop.create_connection(lambda data=data: Browser(data), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.sleep(WARM_SECONDS)
    before, start = (Browser.taken, Browser.others), loop.time()
    print("ready", flush=True)
    await asyncio.sleep(seconds)
    took, found = loop.time() - start, (Browser.taken - before[0], Browser.others - before[1])
    print(json.dumps({"posts": found[0], "others": found[1], "seconds": took}), flush=True)
    Browser.is_over = True


if __name__ == "__main__":
    port, connections, events, size, seconds = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play(int(port), int(connections), int(events), int(size), float(seconds)))
