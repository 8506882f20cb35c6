"""`python -m runbooks.agent.door CONFIG.json`: the door in the foreground, for a supervisor to keep running."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

from pydantic import ConfigDict

from runbooks.agent.config import HostConfig
from runbooks.agent.door.answers import Answers
from runbooks.agent.door.callers import Callers
from runbooks.agent.door.server import DoorServer
from shopsphere.foundation.errors import UsageError

NICE = -5
"""Before the pods, because a gateway that waits for the answer for a second closes writes; after the agent itself."""


class DoorConfig(HostConfig):
    """What the door needs of its agent's configuration; the rest is not for it."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def callers_of(config: HostConfig) -> Callers:
    """Return who asks at the door of this host."""
    pods = (config.pod_guard.pods,) if config.pod_guard else ()
    return Callers(config.listen, pods, config.askers, config.state_askers)


async def answer_for_ever(config: HostConfig) -> None:
    """Answer until the process ends; raises OSError when the port is taken."""
    callers = callers_of(config)
    server = await DoorServer(callers, Answers(config.run, callers)).listen(config.listen, config.port)
    await server.serve_forever()


def main() -> None:
    """Read the configuration, then answer until a signal ends the process."""
    if len(sys.argv) != 2:  # noqa: PLR2004 program and file
        raise UsageError("usage: python -m runbooks.agent.door CONFIG.json")
    config = DoorConfig.model_validate_json(Path(sys.argv[1]).read_text())
    with suppress(PermissionError):  # under a user of its own it is one program among others
        os.nice(NICE)
    asyncio.run(answer_for_ever(config))


if __name__ == "__main__":
    main()
