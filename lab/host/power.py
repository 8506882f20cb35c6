"""Power of a host: on, off, and whether it is there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from lab.component import Component
from lab.host import cgroups, supervision
from lab.host.identity import ProcessIdentity
from lab.hosts import Host
from lab.network import control
from lab.paths import host_directory, log_directory, pki_directory, run_directory
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.process import tail

_INIT = Path(__file__).with_name("init.sh")
_START_SECONDS = 30
_STOP_SECONDS = 30


def identity(host: str) -> ProcessIdentity | None:
    """Return the host's first process, or None when it has no power."""
    try:
        found = ProcessIdentity.of(int((run_directory(host) / "init.pid").read_text()))
    except (OSError, ValueError):
        return None
    return found if found.pid in cgroups.processes(host) else None


def is_on(host: str) -> bool:
    """Whether the host has power."""
    return identity(host) is not None


def clear_run_directory(host: str) -> None:
    """Empty the run directory of a host without power: what a reboot forgets.

    A start that was interrupted may have left an init on its way: it would become a second host of the same name.
    """
    if not is_on(host):
        _end_processes(host)
        shutil.rmtree(run_directory(host), ignore_errors=True)
        run_directory(host).mkdir(parents=True)


def power_on(host: Host, components: Iterable[Component], *, resolver: str) -> None:
    """Start a host and connect it to the WAN; a host that is on gets its components brought up to date.

    A start that was interrupted is gone on with: its host may be on and have no line yet.

    Args:
        host: which one.
        components: all that shall run on it.
        resolver: address of the DNS resolver that the host uses.

    Raises:
        WaitExpiredError: the host did not come up; the message ends with what it printed.
        WanError: the WAN is not there.
    """
    run, log = run_directory(host.name), log_directory(host.name)
    configuration = supervision.render(components, run_directory=run, log_directory=log)
    boot_log, is_new = log / "boot.log", not is_on(host.name)
    if is_new:
        log.mkdir(parents=True, exist_ok=True)
        (run / "supervisord.conf").write_text(configuration)
        _spawn(host.name, resolver, boot_log)
        wait_until(
            lambda: is_on(host.name),
            what=f"host {host.name} to start",
            seconds=_START_SECONDS,
            interval=0.05,
            explain=lambda: tail(boot_log),
        )
    if is_new or host.name not in control.ask("status")["hosts"]:
        _attach(host.name)
    wait_until(
        lambda: (run / "supervisor.sock").exists(),
        what=f"the supervisor of {host.name}",
        seconds=_START_SECONDS,
        interval=0.05,
        explain=lambda: tail(boot_log),
    )
    if (run / "supervisord.conf").read_text() != configuration:
        (run / "supervisord.conf").write_text(configuration)
        supervision.control(run, "update")


def _attach(host: str) -> None:
    found = identity(host)
    if found is None:
        raise ProcessLookupError(host)
    control.ask("attach", host=host, identity=found.to_document())


def _spawn(host: str, resolver: str, boot_log: Path) -> None:
    environment = {
        **os.environ,
        "HOST_NAME": host,
        "HOST_DIRECTORY": str(host_directory(host)),
        "HOST_RESOLVER": resolver,
        "CGROUP_PATHS": ":".join(str(path) for path in cgroups.create(host)),
        "TRUST_BUNDLE": str(pki_directory() / "trust-bundle.crt"),
        "SUPERVISORD": str(supervision.program("supervisord")),
    }
    namespaces = ["--pid", "--fork", "--mount", "--uts", "--net", "--propagation", "private"]
    with boot_log.open("a") as sink:
        subprocess.Popen(
            ["unshare", *namespaces, "bash", str(_INIT)],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=environment,
            start_new_session=True,
            cwd="/",
        )


def power_off(host: str) -> None:
    """Cut a host's power: every process of it ends at once, its disk directory stays."""
    found = identity(host)
    if found:
        with suppress(ProcessLookupError):
            os.kill(found.pid, signal.SIGKILL)
    _end_processes(host)
    cgroups.remove(host)
    with suppress(control.WanError):
        control.ask("detach", host=host)


def _end_processes(host: str) -> None:
    for pid in cgroups.processes(host):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(
        lambda: not cgroups.processes(host),
        what=f"the processes of {host} to end",
        seconds=_STOP_SECONDS,
        interval=0.02,
    )
