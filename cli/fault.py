"""A fault of the program itself: a short message for the person, everything else in a log file."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import threading
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from shopsphere.foundation.errors import one_line
from shopsphere.foundation.paths import REPOSITORY, fault_log_directory

KEPT_LOGS = 20
DEBUG_VARIABLE = "SHOPSPHERE_DEBUG"
"""With any value in it, errors show where they come from."""


def debugging() -> bool:
    """Whether the person wants to see tracebacks."""
    return bool(os.environ.get(DEBUG_VARIABLE))


def describe_fault(error: BaseException, arguments: Sequence[str]) -> str:
    """Keep a fault's traceback in a log file and return the message about it."""
    kept = _keep(error, arguments)
    return (
        f"a fault of the program, not of what you asked for: {_named(error)}\n"
        f"  found:    {_place(error)}\n"
        f"  details:  {kept}\n"
        f"  do:       try again; if it happens again, report it with that file ({DEBUG_VARIABLE}=1 shows it here)"
    )


def keep_quiet_in_threads(arguments: Sequence[str]) -> None:
    """Let a fault in a thread be kept in a log file too; whoever waits for the thread says what is missing."""

    def note(ended: threading.ExceptHookArgs) -> None:
        if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
            _keep(ended.exc_value, arguments)
            if debugging():
                traceback.print_exception(ended.exc_value)

    threading.excepthook = note


def _keep(error: BaseException, arguments: Sequence[str]) -> str:
    """Return where the traceback was kept, or why it was not."""
    now = datetime.now(UTC)
    head = f"{now.isoformat()}  {shlex.join(['shopsphere', *arguments])}  Python {platform.python_version()}\n\n"
    text = head + "".join(traceback.format_exception(error))
    directory = fault_log_directory()
    file = directory / f"{now:%Y%m%dT%H%M%S%f}Z-{os.getpid()}.log"
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as sink:
            sink.write(text)
        _prune(directory)
    except OSError as problem:
        return f"not kept: {directory}: {problem.strerror or problem}"
    return str(file)


def _prune(directory: Path) -> None:
    for old in sorted(directory.glob("*.log"))[:-KEPT_LOGS]:
        old.unlink(missing_ok=True)


def _named(error: BaseException) -> str:
    said = one_line(error)
    return f"{type(error).__name__}: {said[:300]}" if said else type(error).__name__


def _place(error: BaseException) -> str:
    """Return the last place in this repository that the error passed."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_own(frame.filename)] or list(frames)
    if not own:
        return "no place is known"
    last = own[-1]
    file = Path(last.filename)
    return f"{file.relative_to(REPOSITORY) if _is_own(last.filename) else file}:{last.lineno}, in {last.name}"


def _is_own(filename: str) -> bool:
    file = Path(filename)
    return file.is_relative_to(REPOSITORY) and not file.is_relative_to(sys.prefix)
