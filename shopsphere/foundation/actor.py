"""Who acts, for records that outlive the run: as the kernel knows it, not as the environment says."""

from __future__ import annotations

import os
import pwd
import socket
from pathlib import Path

from shopsphere.foundation.readable import readable

_LOGIN = Path("/proc/self/loginuid")
_NO_LOGIN = 2**32 - 1


def actor() -> str:
    """Return who is at the keyboard, and where; a number where the machine knows no name for it.

    Whoever became another user is named too: the user who logged in, as the kernel keeps it over `su` and `sudo`, or
    else the one whom `sudo` names. `LOGNAME` and `USER` are not read: anybody sets them.
    """
    own = os.getuid()
    people = [own, *(each for each in (_logged_in(), _before_sudo(own)) if each is not None)]
    return f"{' for '.join(_name(each) for each in dict.fromkeys(people))} at {socket.gethostname()}"


def _logged_in() -> int | None:
    try:
        found = int(_LOGIN.read_text())
    except (OSError, ValueError):  # a kernel without audit
        return None
    return None if found == _NO_LOGIN else found


def _before_sudo(own: int) -> int | None:
    """Return who called `sudo`; only root's word counts, because others may have written it themselves."""
    said = os.environ.get("SUDO_UID", "")
    is_number = said.isascii() and said.isdecimal() and len(said) <= len(str(_NO_LOGIN))
    return int(said) if own == 0 and is_number and int(said) < _NO_LOGIN else None


def _name(uid: int) -> str:
    try:
        return readable(pwd.getpwuid(uid).pw_name)
    except KeyError:  # a container's user need not be in any list
        return f"uid {uid}"
