"""What a process makes of files that are renewed while it runs: certificates, keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from app.errors import ShopError

T = TypeVar("T")
Seen = tuple[tuple[str, int, int, int], ...]


class Renewed(Generic[T]):
    """Something that is made of files, made anew once they are others.

    While they cannot be used (one of two is written, the other one is not yet) the one before stays. They are tried
    again each time: what was in the way, such as rights or a process without a free file, may leave no trace in them.

    Args:
        what: it is, for logs.
        files: that it is made of; of a folder, all that are in it.
        make: makes it.

    Raises:
        ShopError: the files cannot be used at the start.
    """

    def __init__(self, what: str, files: Sequence[Path], make: Callable[[], T]) -> None:
        self._what, self._files, self._make = what, files, make
        self._log = structlog.get_logger("renewed")
        try:
            self._seen = self._look()
            self._made = make()
            self._refused: Seen | None = None
        except (OSError, ValueError) as error:
            raise ShopError.build(
                f"{what} cannot be used",
                expected=f"files of that kind at {', '.join(map(str, files))}",
                found=f"{type(error).__name__}: {error}",
                action="look at the files and at who may read them, and start again",
            ) from error

    def now(self) -> T:
        """Return it as the files are now, as far as they can be used."""
        try:
            seen = self._look()
        except OSError as error:
            self._log.error("files cannot be read; what was read before is used", what=self._what, problem=str(error))
            return self._made
        if seen != self._seen:
            try:
                self._made = self._make()
            except (OSError, ValueError, ShopError) as error:
                self._say_unusable(seen, error)
            else:
                self._seen, self._refused = seen, None
                self._log.info("read anew", what=self._what)
        return self._made

    def _say_unusable(self, seen: Seen, error: Exception) -> None:
        """Write one line for one change."""
        if seen != self._refused:
            self._refused = seen
            self._log.error("files cannot be used; what was read before is", what=self._what, problem=str(error))

    def _look(self) -> Seen:
        """Return what tells one content of the files from another, without reading them."""
        files = [one for each in self._files for one in (sorted(each.iterdir()) if each.is_dir() else (each,))]
        stats = [(str(file), file.stat()) for file in files]
        return tuple((name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
