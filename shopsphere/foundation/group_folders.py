"""Folders of a group: what is made in one is the group's too, whoever makes it, and whatever that user's umask is.

A folder is a group's when its set-group-ID bit says so. Elsewhere nothing is different.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

_FILE, _FOLDER = 0o060, 0o2070


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing.

    Raises:
        OSError: it could not be made.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    share(folder)


def share(made: Path) -> None:
    """Let the group of the folder above read and write what was just made there, if that is a folder of a group.

    What somebody else was faster to make is left to that user; a link is not followed.
    """
    found = made.lstat()
    if found.st_uid != os.geteuid() or not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)):
        return
    descriptor = os.open(made, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        share_open(descriptor, made.parent)
    finally:
        os.close(descriptor)


def share_open(descriptor: int, folder: Path) -> None:
    """Do the same with what is open already, in `folder`; nothing where it is shared, or has names elsewhere, too."""
    found = os.fstat(descriptor)
    is_folder = stat.S_ISDIR(found.st_mode)
    bits = _FOLDER if is_folder else _FILE
    is_ours = found.st_uid == os.geteuid() and (is_folder or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1))
    if is_ours and found.st_mode & bits != bits and folder.stat().st_mode & stat.S_ISGID:
        os.fchmod(descriptor, stat.S_IMODE(found.st_mode) | bits)
