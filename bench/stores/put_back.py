"""Puts what came into the upper layer of an overlay into the folder below: `put_back.py UPPER FOLDER`.

A file that is older than the one below stays away: that one came while nothing covered the folder. It may be run again.
"""

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_OVERLAYS = "trusted.overlay."
_OPAQUE = f"{_OVERLAYS}opaque"


def put_back(upper: Path, folder: Path) -> Iterator[str]:
    """Put everything below `upper` into `folder`; yield what was put."""
    for entry in sorted(upper.iterdir()):
        below = folder / entry.name
        found = entry.lstat()
        if stat.S_ISCHR(found.st_mode) and found.st_rdev == 0:  # an overlay's word for: removed
            _remove(below)
            yield f"removed {below}"
        elif stat.S_ISDIR(found.st_mode):
            if _is_opaque(entry):
                _remove(below)
            below.mkdir(exist_ok=True)
            _copy_notes(entry, below)
            yield from put_back(entry, below)
        elif stat.S_ISREG(found.st_mode) and not (below.exists() and below.stat().st_mtime_ns > found.st_mtime_ns):
            _put(entry, below)
            yield f"put {below}"


def _put(entry: Path, below: Path) -> None:
    beside = below.with_name(f".{below.name}.put-back")
    shutil.copyfile(entry, beside)
    _copy_notes(entry, beside)
    os.utime(beside, ns=(entry.stat().st_atime_ns, entry.stat().st_mtime_ns))
    beside.replace(below)


def _copy_notes(source: Path, target: Path) -> None:
    """Copy owner, mode and the gateway's notes (extended attributes), and not those of the overlay."""
    found = source.stat()
    os.chown(target, found.st_uid, found.st_gid)
    target.chmod(stat.S_IMODE(found.st_mode))
    for name in os.listxattr(source):
        if not name.startswith(_OVERLAYS):
            os.setxattr(target, name, os.getxattr(source, name))


def _is_opaque(folder: Path) -> bool:
    with suppress(OSError):
        return os.getxattr(folder, _OPAQUE) == b"y"
    return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    for each in put_back(Path(sys.argv[1]), Path(sys.argv[2])):
        sys.stdout.write(f"{each}\n")
