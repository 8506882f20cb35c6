"""Commands to the WAN switch."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from lab.hosts import LabHosts
from lab.paths import control_directory
from shopsphere.foundation.errors import ShopSphereError

_ANSWER_SECONDS = 15


class WanError(ShopSphereError):
    """The switch does not run or refused a command."""


def socket_path() -> Path:
    """Where the switch listens."""
    return control_directory() / "wan.sock"


def state_path() -> Path:
    """Where the switch keeps cuts, losses and who is attached."""
    return control_directory() / "wan.json"


def ask(command: str, **arguments: Any) -> Any:
    """Send one command and return its answer.

    Raises:
        WanError: the switch is not there or says no.
    """
    request = json.dumps({"command": command, **arguments}).encode()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            connection.connect(str(socket_path()))
            connection.send(request)
            reply = json.loads(connection.recv(1 << 20))
    except (OSError, ValueError) as error:
        raise WanError.build(
            "the WAN does not answer",
            expected=f"a switch at {socket_path()}",
            found=str(error),
            action="start the lab with `shopsphere lab up`",
        ) from error
    if "error" in reply:
        raise WanError(f"the WAN refused `{command}`: {reply['error']}")
    return reply["ok"]


def ways_between(hosts: LabHosts, a: str, b: str, *, one_way: bool = False) -> list[list[str]]:
    """Return the directions of all links between two names; a site's stands for all its nodes."""
    return [way for one, other in hosts.between(a, b) for way in ways(one, other, one_way=one_way)]


def ways(a: str, b: str, *, one_way: bool) -> list[list[str]]:
    """Return the directions of the link between two hosts: both, or only from `a` to `b`."""
    return [[a, b]] if one_way else [[a, b], [b, a]]
