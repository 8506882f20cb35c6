"""Who acts, for records that outlive the run: as the kernel knows it, not as the environment says."""

from __future__ import annotations

import os
import pwd
import socket
from pathlib import Path

from shopsphere.foundation.readable import readable

_PROCESSES = Path("/proc")
_NO_LOGIN = 2**32 - 1
_MOST_PARENTS = 64


def actor() -> str:
    """Return who is at the keyboard, and where; a number where the machine knows no name for it.

    Whoever became another user is named too: the user who logged in, as the kernel keeps it over `su` and `sudo`, and
    the user whose process started root's. Whom only the variable of `sudo` names is said to be so: root may set it to
    anything. `LOGNAME` and `USER` are not read: anybody sets them.
    """
    own = os.getuid()
    known = [own, *(each for each in (_logged_in(), _behind_root(own)) if each is not None)]
    people = " for ".join(_name(each) for each in dict.fromkeys(known))
    said = _said_by_sudo(own)
    claim = f" (SUDO_UID says {_name(said)})" if said is not None and said not in known else ""
    return f"{people}{claim} at {socket.gethostname()}"


def _logged_in() -> int | None:
    try:
        found = int((_PROCESSES / "self" / "loginuid").read_text())
    except (OSError, ValueError):  # a kernel without audit
        return None
    return None if found == _NO_LOGIN else found


def _behind_root(own: int) -> int | None:
    """Return who started a process of root, as in `sudo`: the user of the nearest parent that is not root's."""
    parent = os.getppid()
    for _ in range(_MOST_PARENTS):
        if own != 0 or parent <= 1:
            return None
        try:
            lines = (_PROCESSES / str(parent) / "status").read_text().splitlines()
            fields = {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}
            user, parent = int(fields["Uid"][0]), int(fields["PPid"][0])
        except (OSError, ValueError, LookupError):  # it has ended, or is hidden
            return None
        if user != 0:
            return user
    return None


def _said_by_sudo(own: int) -> int | None:
    """Return whom `sudo` names as its caller; of another user's variable nobody knows who wrote it."""
    said = os.environ.get("SUDO_UID", "")
    is_number = said.isascii() and said.isdecimal() and len(said) <= len(str(_NO_LOGIN))
    return int(said) if own == 0 and is_number and int(said) < _NO_LOGIN else None


def _name(uid: int) -> str:
    try:
        return readable(pwd.getpwuid(uid).pw_name)
    except KeyError:  # a container's user need not be in any list
        return f"uid {uid}"
