"""The socket between the two programs of a door: no other user of the host answers there, or is answered."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shopsphere.edge_door.plan import DoorError

_CREDENTIALS = struct.Struct("3i")
"""Process, user and group of who is at the other end, as Linux tells them (unix(7), SO_PEERCRED)."""
_FOLDER, _SOCKET = 0o710, 0o660


@dataclass(frozen=True)
class FrontUser:
    """Number of a user of this host, and of its group."""

    uid: int
    gid: int


def user_id(name: str) -> FrontUser:
    """Return the numbers of a user of this host.

    Raises:
        DoorError: there is none of this name.
    """
    try:
        found = pwd.getpwnam(name)
    except KeyError as error:
        raise DoorError.build(
            "the door of the edge does not start",
            expected=f"a user {name!r} of this host, as whom the program in front runs",
            found="none",
            action="install haproxy, or correct frontUser in the plan",
        ) from error
    return FrontUser(found.pw_uid, found.pw_gid)


def bound_socket(place: Path, front: FrontUser) -> socket.socket:
    """Return a socket at a place whose folder one other user may enter, and nobody but us may change.

    A socket that is there is of a former process: it is taken away.

    Raises:
        DoorError: the folder is another user's, or the socket cannot be made.
    """
    folder, own = place.parent, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_uid != os.geteuid():
            raise PermissionError(f"{folder} belongs to another user, who could answer here")
        _give(folder, front, _FOLDER)
        with suppress(FileNotFoundError):
            place.unlink()
        own.bind(str(place))
        _give(place, front, _SOCKET)
    except OSError as error:
        own.close()
        raise DoorError.build(
            "the door of the edge does not start",
            expected=f"a socket at {place}, in a folder of our own with group {front.gid}",
            found=str(error),
            action="correct rightsSocket in the plan, or start as a user that may give files to that group",
        ) from error
    return own


def is_from(connection: socket.socket, user: int) -> bool:
    """Whether who connected is a process of this user."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return bool(_CREDENTIALS.unpack(told)[1] == user)


def _give(path: Path, front: FrontUser, mode: int) -> None:
    path.chmod(0o700)  # before it is another group's
    os.chown(path, -1, front.gid)
    path.chmod(mode)
