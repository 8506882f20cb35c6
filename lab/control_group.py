"""What belongs to no host: the WAN switch and the cloud controller, supervised in the root namespace."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from functools import partial
from pathlib import Path

from lab.component import Component
from lab.host import supervision
from lab.host.identity import ProcessIdentity
from lab.hosts import HOSTS_FILE
from lab.network import control
from lab.own_program import SOURCES, own_program
from lab.paths import control_directory
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import DEFAULT_LAB, LAB_VARIABLE, TOPOLOGY_FILE, lab_directory
from shopsphere.foundation.process import tail
from shopsphere.topology.overlay import overlay_file

_START_SECONDS = 20
_READ = (TOPOLOGY_FILE, overlay_file(TOPOLOGY_FILE, "lab"), HOSTS_FILE)
"""Sites, hosts and distances: both programs know those of their start."""


def _components() -> list[Component]:
    given = {name: value for name, value in os.environ.items() if name.startswith("SHOPSPHERE_")}
    environment = {"PYTHONUNBUFFERED": "1", **given, LAB_VARIABLE: str(lab_directory())}
    own = partial(own_program, packages=("lab", "shopsphere"), files=_READ, environment=environment)
    return [own("wan", "lab.network.daemon", priority=1), own("cloud", "lab.cloud_controller")]


def identity() -> ProcessIdentity | None:
    """Return the supervisor's process, or None when it does not run."""
    try:
        found = ProcessIdentity.of(int((control_directory() / "supervisord.pid").read_text()))
    except (OSError, ValueError):
        return None
    command = _command_line(found.pid)
    return found if str(control_directory()) in command else None


def _command_line(pid: int) -> str:
    with suppress(OSError), open(f"/proc/{pid}/cmdline") as file:  # noqa: PTH123 - read once, closed at once
        return file.read().replace("\0", " ")
    return ""


def start() -> None:
    """Start the supervisor unless it runs, restart what has other code than the checkout, and wait for the WAN.

    A WAN that is restarted knows what was done to its links and attaches every host anew: connections live on, after a
    second or two without a line.
    """
    directory = control_directory()
    configuration, components = directory / "supervisord.conf", _components()
    text = supervision.render(components, run_directory=directory, log_directory=directory)
    if identity() is not None:
        # Compared by the code alone: the rest holds variables of whoever called, which differ from call to call.
        running = configuration.read_text()
        if not all(f'{SOURCES}="{each.environment[SOURCES]}"' in running for each in components):
            configuration.write_text(text)
            supervision.control(directory, "update")
    else:
        directory.mkdir(parents=True, exist_ok=True)
        configuration.write_text(text)
        (directory / "supervisor.sock").unlink(missing_ok=True)
        with (directory / "boot.log").open("a") as sink:
            subprocess.Popen(
                [str(supervision.program("supervisord")), "--nodaemon", "--configuration", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
                cwd="/",
            )
    wait_until(
        _wan_answers,
        what="the WAN switch",
        seconds=_START_SECONDS,
        interval=0.1,
        explain=lambda: tail(directory / "wan.log")
        if (directory / "wan.log").exists()
        else tail(directory / "boot.log"),
    )


def _wan_answers() -> bool:
    with suppress(control.WanError):
        control.ask("status")
        return True
    return False


def stop() -> None:
    """End the supervisor and what it started, also when only parts of it are left."""
    found = identity()
    if found:
        os.kill(found.pid, signal.SIGTERM)
        with suppress(Exception):
            wait_until(lambda: not found.is_alive(), what="the supervisor to end", seconds=10, interval=0.05)
        with suppress(ProcessLookupError):
            os.kill(found.pid, signal.SIGKILL)
    for pid in orphans():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def orphans() -> list[int]:
    """Programs of the control group whose supervisor was killed.

    They are told by their arguments and by the lab that they were started for: an editor or a search for their name
    has other arguments, and another lab's have another folder.
    """
    wanted = [list(component.command[1:]) for component in _components()]  # whichever Python runs them
    numbers = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]  # noqa: PTH208 - names are enough
    return [pid for pid in numbers if _words(pid, "cmdline")[1:] in wanted and _belongs_here(pid)]


def _belongs_here(pid: int) -> bool:
    given = dict(word.partition("=")[::2] for word in _words(pid, "environ"))
    return given.get(LAB_VARIABLE, str(DEFAULT_LAB)) == str(lab_directory())


def _words(pid: int, file: str) -> list[str]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/{file}").read_text(errors="replace").removesuffix("\0").split("\0")
    return []
