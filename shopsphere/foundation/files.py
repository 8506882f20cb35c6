"""Writing files so that a power loss leaves either the old or the new one, also when two write at once."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_whole(file: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace what is in `file` in one step, on the disk and not only in memory; of two writers the last one wins."""
    with _written_beside(file, text, mode) as beside:
        beside.replace(file)


def secret_in(file: Path) -> str:
    """Return the secret kept in `file`; make one of 256 bits the first time, and only one, however many ask at once."""
    if not file.exists():
        with (
            _written_beside(file, secrets.token_urlsafe(32) + "\n", 0o600) as beside,
            suppress(FileExistsError),  # somebody was faster, and may have told others already
        ):
            file.hardlink_to(beside)
    return file.read_text().strip()


@contextmanager
def _written_beside(file: Path, text: str, mode: int) -> Iterator[Path]:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".new", dir=file.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "w") as sink:
            sink.write(text)
            sink.flush()
            os.fsync(sink.fileno())
        beside.chmod(mode)
        yield beside
    finally:
        beside.unlink(missing_ok=True)
