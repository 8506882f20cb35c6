"""HAProxy in front: it ends TLS, knows users by their certificates, and bounds connections, time and size."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from shopsphere.edge_door.keys import door_files
from shopsphere.edge_door.plan import LARGEST_BODY, DoorPlan, secret_of

_REFUSAL = (
    "refused user=%{+Q}[ssl_c_s_dn(cn)] from=%ci api=%f status=%ST end=%ts %{+Q}r certificate=%[ssl_c_serial,hex]"
)
_GLOBAL = """\
global
    maxconn {total}
    nbthread 1
    tune.bufsize {buffer}
    ssl-load-extra-del-ext
    ssl-default-bind-options ssl-min-ver TLSv1.3
    log stdout format raw local0 info
    user {user}
    group {user}
defaults
    mode http
    log global
    # Refusals and faults; what went well is logged behind the door, where it is known what it was.
    option dontlog-normal
    log-format "{refusal}"
    error-log-format "refused from=%ci api=%f: %[fc_err_str] %[ssl_fc_err_str]"
    # A request is handed on when it is whole: who sends slowly holds nothing behind this program.
    option http-buffer-request
    option abortonclose
    option disable-h2-upgrade
    timeout http-request 5s
    timeout client 5s
    timeout http-keep-alive 2s
    timeout connect 1s
    timeout queue 5s
    timeout server 30s
"""
_FRONTEND = """\
frontend {name}
    bind {address}:{port} ssl crt {certificate} ca-file {authority} verify required alpn http/1.1
    maxconn {connections}
    stick-table type ip size 1k expire 60s store conn_cur
    tcp-request connection track-sc0 src
    tcp-request connection reject if {{ sc0_conn_cur gt {each} }}
    http-request deny deny_status 400 if {{ req.hdr_cnt(transfer-encoding) gt 0 }}
    http-request deny deny_status 413 if {{ req.hdr_val(content-length) gt {largest} }}
    http-request set-header X-Edge-User %[ssl_c_s_dn(cn)]
    http-request set-header X-Edge-Serial %[ssl_c_serial,hex]
    http-request set-header X-Edge-From %[src]
    http-request set-header X-Edge-Api {name}
    http-request set-header X-Edge-Secret {secret}
    default_backend {name}
backend {name}
    server rights unix@{socket} maxconn 16
"""
_CONNECTIONS, _CONNECTIONS_EACH = 256, 32
"""Of one API; and of those, from one address: a deployment has a score at once. Seven strangers that say nothing leave
places for who has a certificate."""


def haproxy_configuration(plan: DoorPlan, keys: Path) -> str:
    """Return HAProxy's configuration.

    Args:
        plan: of the door.
        keys: folder with `ca.crt`, `door.crt` and `door.key`.

    Raises:
        DoorError: the secret between the two programs is missing, or too short.
    """
    authority, certificate, _ = door_files(keys)
    begin = _GLOBAL.format(
        total=_CONNECTIONS * len(plan.services) + 32,
        buffer=LARGEST_BODY + 16 * 1024,
        user=plan.front_user,
        refusal=_REFUSAL,
    )
    secret = secret_of(plan.secret_file)
    fronts: Iterable[str] = (  # each with places of its own: an API that hangs keeps nobody from the others
        _FRONTEND.format(
            name=name,
            address=service.address,
            port=service.port,
            certificate=certificate,
            authority=authority,
            connections=_CONNECTIONS,
            each=_CONNECTIONS_EACH,
            largest=LARGEST_BODY,
            secret=secret,
            socket=plan.rights_socket,
        )
        for name, service in plan.services.items()
    )
    return begin + "".join(fronts)
