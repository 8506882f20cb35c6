"""`python -m runbooks.agent.unpaired CONFIG.json`: the agent of a host whose site belongs to no pair.

Nothing is written there for customers, so that it keeps no lease and no fence: it tells what the kernel enforces.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from runbooks.agent.config import HostConfig
from runbooks.agent.doors import Doors
from runbooks.agent.kernel_rules import KernelRules
from runbooks.agent.log import tell
from runbooks.agent.published import Publisher
from runbooks.agent.rules_line import RulesLine
from shopsphere.foundation.errors import UsageError

_DOORS = Doors(databases=False, writes=False, because="this site belongs to no pair, and takes no writes")


def start(config: HostConfig) -> tuple[Publisher, RulesLine]:
    """Publish for the door of such a host, and answer what it asks."""
    publisher = Publisher(config.run, lambda: _DOORS, lambda: {"site": config.site}, tell)
    line = RulesLine(config.run, KernelRules(config.site, None, config.guard, firewall=config.firewall), tell)
    publisher.start()
    line.start()
    return publisher, line


def main() -> None:
    """Read the configuration, then publish until a signal ends the process."""
    if len(sys.argv) != 2:  # noqa: PLR2004 program and file
        raise UsageError("usage: python -m runbooks.agent.unpaired CONFIG.json")
    start(HostConfig.model_validate_json(Path(sys.argv[1]).read_text()))
    threading.Event().wait()


if __name__ == "__main__":
    main()
