"""Options of a connection over which nothing is said for long."""

from __future__ import annotations

import socket

KEPT_ALIVE = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),  # as both clients have it without options of ours
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2),
]
"""The kernel asks whether the other end is there: a connection ends half a minute after that is gone."""
