"""Who acts, for records that outlive the run."""

from __future__ import annotations

import getpass
import os
import socket

from shopsphere.foundation.readable import readable


def actor() -> str:
    """Return who is at the keyboard, and where; a number where the machine knows no name for it."""
    try:
        user = readable(getpass.getuser())
    except (KeyError, OSError):  # a container's user need not be in any list
        user = f"uid {os.getuid()}"
    return f"{user} at {socket.gethostname()}"
