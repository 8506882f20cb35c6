"""`python -m runbooks.agent.unpaired CONFIG.json`: the agent of a host whose site belongs to no pair.

Nothing is written there for customers, so that it keeps no lease and no fence: it tells what the kernel enforces.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from runbooks.agent.config import HostConfig
from runbooks.agent.door import Door
from runbooks.agent.kernel_rules import KernelRules
from runbooks.agent.state import Doors
from shopsphere.foundation.errors import UsageError

_DOORS = Doors(databases=False, writes=False, because="this site belongs to no pair, and takes no writes")


def door_of(config: HostConfig) -> Door:
    """Return the door of such a host."""
    rules = KernelRules(config.site, config.listen, config.askers, None, config.guard)
    return Door(str(config.listen), config.port, lambda: _DOORS, lambda: {"site": config.site}, rules)


def main() -> None:
    """Read the configuration, then answer until a signal ends the process."""
    if len(sys.argv) != 2:  # noqa: PLR2004 program and file
        raise UsageError("usage: python -m runbooks.agent.unpaired CONFIG.json")
    door_of(HostConfig.model_validate_json(Path(sys.argv[1]).read_text())).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
