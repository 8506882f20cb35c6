"""A store with so little room that it runs full: its folder is covered by a small file system until it is given back.

Nothing that the store has is moved. New objects go to the small file system, an image beside the store, and are put
into the store's own folder at the end, also where the end is another process after a kill or a power loss.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from shopsphere.foundation.process import CommandError, run

MEBIBYTE = 2**20
MERGING = Path(__file__).with_name("put_back.py")
_MERGE = 'mount -o loop "$1" /mnt && exec "$2" "$3" /mnt/upper "$4"'
_FILL = """
fallocate -l "$(($(stat -f -c '%a * %S' "$1")))" "$1/filler"
dd if=/dev/zero of="$1/filler" bs=4096 oflag=append conv=notrunc 2> /dev/null
dd if=/dev/zero of="$1/rest" bs=512 2> /dev/null
stat -f -c %a "$1"
"""
_UNMOUNT = 'if mountpoint -q "$1"; then umount "$1"; fi'
MERGE_SECONDS = 900.0
"""Longest time (s) for putting what came into the store's own folder."""


class Gateway(Protocol):
    """What serves the store."""

    def stop(self) -> None: ...

    def start(self) -> None: ...


Inside = Callable[[Sequence[str]], str]
"""Runs a command in the host's namespaces and returns what it printed; CommandError where it failed."""


class SmallRoom:
    """Covers one store.

    Args:
        store: folder of it, the same inside the host and outside.
        image: file that becomes the small file system; where it is, something has to be given back.
        mounted: where it is mounted inside the host.
        gateway: that serves the store; it is away for some seconds at the beginning and the end.
        inside: runs commands in the host.
    """

    def __init__(self, store: Path, image: Path, mounted: Path, gateway: Gateway, inside: Inside) -> None:
        self._store, self._image, self._mounted = store, image, mounted
        self._gateway, self._inside = gateway, inside

    @property
    def is_left(self) -> bool:
        """Whether something has to be given back."""
        return self._image.exists() or self._half.exists()

    def make(self, mebibytes: int) -> None:
        """Cover the store; it has so much room from then on.

        Raises:
            CommandError: there is something to give back already, or this kernel has no overlay or loop device.
        """
        if self.is_left:
            raise CommandError(f"{self._image} is there already\n  do: python bench/stores --undo")
        self._gateway.stop()
        with self._half.open("w") as sink:
            sink.truncate(mebibytes * MEBIBYTE)
        run(["mkfs.ext4", "-q", "-F", "-m", "0", self._half], seconds=300)
        self._half.rename(self._image)
        upper, work = self._mounted / "upper", self._mounted / "work"
        self._inside(["mkdir", "-p", str(self._mounted)])
        self._inside(["mount", "-o", "loop", str(self._image), str(self._mounted)])
        self._inside(["mkdir", "-m", "700", str(upper), str(work)])
        layers = f"lowerdir={self._store},upperdir={upper},workdir={work}"
        self._inside(["mount", "-t", "overlay", "overlay", "-o", layers, str(self._store)])
        self._gateway.start()

    def fill(self) -> None:
        """Leave no room at all.

        Raises:
            CommandError: there is some left.
        """
        left = self._inside(["sh", "-c", _FILL, "sh", str(self._mounted)]).split()[-1:]
        if left != ["0"]:
            raise CommandError(f"{self._mounted} should be full, and has {left} blocks left")

    def empty(self) -> None:
        """Leave room again; it may be called twice."""
        self._inside(["rm", "-f", *(str(self._mounted / each) for each in ("filler", "rest"))])

    def give_back(self) -> None:
        """Put everything that came into the store's own folder; nothing happens where nothing is left.

        Raises:
            CommandError: something could not be; the image stays, and the next call goes on.
        """
        if not self.is_left:
            return
        self._gateway.stop()
        try:
            for each in (self._store, self._mounted):
                self._inside(["sh", "-c", _UNMOUNT, "sh", str(each)])
            if self._image.exists():
                words = [str(self._image), sys.executable, str(MERGING), str(self._store)]
                run(["unshare", "--mount", "sh", "-ec", _MERGE, "sh", *words], seconds=MERGE_SECONDS)
                self._image.unlink()
            self._half.unlink(missing_ok=True)
        finally:
            self._gateway.start()

    @property
    def _half(self) -> Path:
        return self._image.with_suffix(".new")
