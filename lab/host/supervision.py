"""Supervisord, which keeps a host's components running: its configuration and its answers."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from lab.component import Component
from shopsphere.foundation.process import run

RUNNING = "RUNNING"
_HEADER = """\
[supervisord]
logfile={log}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
loglevel=info
pidfile={run}/supervisord.pid
childlogdir={log}
user=root

[unix_http_server]
file={run}/supervisor.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{run}/supervisor.sock
"""

_PROGRAM = """
[program:{name}]
command={command}
directory={directory}
environment={environment}
priority={priority}
autorestart=true
startsecs=1
startretries=1000
stopasgroup=true
killasgroup=true
stopwaitsecs=5
redirect_stderr=true
stdout_logfile={log}/{name}.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=1
"""


def program(name: str) -> Path:
    """Path of a program that was installed beside this Python."""
    return Path(sys.executable).parent / name


def render(components: Iterable[Component], *, run_directory: Path, log_directory: Path) -> str:
    """Return the supervisord configuration of a host."""
    parts = [_HEADER.format(log=log_directory, run=run_directory)]
    for component in sorted(components, key=lambda c: (c.priority, c.name)):
        pairs = ",".join(f'{key}="{_escape(value)}"' for key, value in sorted(component.environment.items()))
        parts.append(
            _PROGRAM.format(
                name=component.name,
                command=" ".join(_quote(word) for word in component.command),
                directory=component.directory or "/",
                environment=pairs,
                priority=component.priority,
                log=log_directory,
            )
        )
    return "".join(parts)


def _escape(text: str) -> str:
    return text.replace("%", "%%").replace('"', '\\"')


def _quote(word: str) -> str:
    """Return a word as supervisord reads it: it expands % and takes the rest as a shell would."""
    if any(mark in word for mark in (" ;", " #", "\n")):
        raise ValueError(f"supervisord would read the rest as a comment: {word!r}")
    return shlex.quote(word.replace("%", "%%"))


def control(run_directory: Path, *words: str, check: bool = True) -> str:
    """Run one supervisorctl command against a host and return what it printed."""
    command: list[str | Path] = [program("supervisorctl"), "-c", run_directory / "supervisord.conf"]
    return run([*command, *words], check=check, seconds=60).stdout


def states(run_directory: Path) -> dict[str, str]:
    """Return the state of each component by name: RUNNING, STARTING, BACKOFF, STOPPED, FATAL."""
    lines = control(run_directory, "status", check=False).splitlines()
    words = [line.split() for line in lines]
    return {line[0]: line[1] for line in words if len(line) > 1 and line[1].isupper()}
