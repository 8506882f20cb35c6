"""Who acts, for records that outlive the run."""

from __future__ import annotations

import getpass
import socket


def actor() -> str:
    """Return who is at the keyboard, and where."""
    return f"{getpass.getuser()} at {socket.gethostname()}"
