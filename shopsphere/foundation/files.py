"""Writing files so that a power loss leaves either the old or the new one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_whole(file: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace the content of `file` in one step, on the disk and not only in memory."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(file.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as sink:
        sink.write(text)
        sink.flush()
        os.fsync(sink.fileno())
    beside.chmod(mode)
    beside.replace(file)


def secret_in(file: Path) -> str:
    """Return the secret kept in `file`; make one of 256 bits the first time."""
    if not file.exists():
        write_whole(file, secrets.token_urlsafe(32) + "\n", mode=0o600)
    return file.read_text().strip()
