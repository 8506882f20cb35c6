"""The one way this project runs other programs."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from shopsphere.foundation.errors import ShopSphereError


class CommandError(ShopSphereError):
    """A program ended with a code other than 0, or did not end in time."""


@dataclass(frozen=True)
class Result:
    """What a finished program left behind."""

    code: int
    stdout: str
    stderr: str


def run(
    command: Sequence[str | Path],
    *,
    check: bool = True,
    seconds: float = 120,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    log: Path | None = None,
) -> Result:
    """Run `command` to its end.

    Args:
        command: program and arguments; never a shell string.
        check: raise on a code other than 0.
        seconds: the bound on its running time.
        stdin: text to feed it.
        env: variables added to this process's own.
        cwd: folder to run in.
        log: file that takes both output streams instead of memory.

    Raises:
        CommandError: it failed (with `check`) or ran out of time; the message ends with its last output lines.
    """
    words = [str(word) for word in command]
    environment = {**os.environ, **env} if env else None
    try:
        if log is None:
            done = subprocess.run(
                words,
                input=stdin,
                capture_output=True,
                text=True,
                timeout=seconds,
                env=environment,
                cwd=cwd,
                check=False,
            )
            result = Result(done.returncode, done.stdout, done.stderr)
        else:
            with log.open("a") as sink:
                done = subprocess.run(
                    words, input=stdin, stdout=sink, stderr=sink, text=True, timeout=seconds, env=environment, cwd=cwd,
                    check=False,
                )  # fmt: skip
            result = Result(done.returncode, "", tail(log))
    except FileNotFoundError as error:
        raise CommandError(f"{words[0]}: not found\n  do:       install it, or put it on PATH") from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{shlex.join(words)}: did not end within {seconds:.0f} s") from error
    if check and result.code != 0:
        last = "\n".join((result.stderr or result.stdout).strip().splitlines()[-12:])
        raise CommandError(f"{shlex.join(words)}: exit code {result.code}\n{last}")
    return result


def tail(file: Path, lines: int = 12) -> str:
    """Return the last `lines` lines of a text file."""
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])


def become(command: Sequence[str]) -> NoReturn:
    """Replace this process by `command`, so that terminal, signals and exit code are its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvp(command[0], list(command))  # noqa: S606 - no shell is wanted
