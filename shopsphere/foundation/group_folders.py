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

    What somebody else was faster to make is left to that user.
    """
    found = made.stat()
    if made.parent.stat().st_mode & stat.S_ISGID and found.st_uid == os.geteuid():
        made.chmod(stat.S_IMODE(found.st_mode) | (_FOLDER if made.is_dir() else _FILE))
