"""The databases of a pair: their doors on the sites' addresses, and the ports of their pods (M4)."""

from __future__ import annotations

from collections.abc import Iterator

from attacked import Scene
from attempt import (
    CLIENT,
    HOST,
    OWN_POD,
    PEER,
    POD,
    PORT,
    POSTGRES_CLEAR,
    POSTGRES_SSL,
    SILENT,
    SITE,
    WORDS,
    Attempt,
    Control,
    attempt,
    get,
    tcp,
)

from shopsphere.estate.databases import DATABASES, INSTANCE_STATUS_PORT, POSTGRESQL_PORT

METRICS_PORT = 9187
"""Where CloudNativePG's instance manager tells figures."""
ANSWERS = r"^bytes 0 S"
REFUSED_IN_CLEAR = r"no pg_hba.conf entry|pg_hba.conf rejects"


def attempts(scene: Scene) -> Iterator[Attempt]:
    """Yield what is tried at the doors of the site that takes writes, at those of the other one, and behind them."""
    pair = scene.pair
    ports = [each.replication_port for each in DATABASES]
    active = [tcp(scene.active, port, POSTGRES_SSL) for port in ports]
    passive = [tcp(scene.address(pair.recovery), port, POSTGRES_SSL) for port in ports]
    from_peer = Control(PEER, tuple(active), ANSWERS)
    # Its databases follow, so its fence is open for reading, and the other site is answered here, too.
    follows = Control(SITE, tuple(passive), ANSWERS)
    for place in (CLIENT, POD, HOST):
        yield attempt("M4", "reach the databases' doors at the active site", place, active, PORT, control=from_peer)
        yield attempt(
            "M4", "reach the databases' doors at the passive site", place, passive, PORT, SILENT, control=follows
        )
    clear = [tcp(scene.active, port, POSTGRES_CLEAR) for port in ports]
    for place in (CLIENT, HOST):
        yield attempt("M4", "speak to the databases without TLS", place, clear, PORT, control=from_peer)
    # Whoever stands on the way between the two sites reads what is said without TLS: the server has to refuse it.
    yield attempt(
        "M4",
        "speak to the databases without TLS from the pair's other site",
        PEER,
        clear,
        WORDS,
        words=REFUSED_IN_CLEAR,
        control=from_peer,
    )
    pods = [tcp(address, POSTGRESQL_PORT, POSTGRES_SSL) for address in scene.databases.values()]
    own = Control(OWN_POD, (tcp(scene.databases["commerce"], POSTGRESQL_PORT, POSTGRES_SSL),), ANSWERS)
    yield attempt("M4", "reach the databases' pods by their own addresses", POD, pods, PORT, control=own)
    yield from _inside(scene, own)


def _inside(scene: Scene, own: Control) -> Iterator[Attempt]:
    """Yield what a pod of the shop may not reach at its own site: it has the catalogue's database, and no more."""
    ledger = [tcp(scene.databases["ledger"], POSTGRESQL_PORT, POSTGRES_SSL)]
    yield attempt("M6", "reach the ledger, which only payments may", OWN_POD, ledger, PORT, control=own)
    for port, what in ((METRICS_PORT, "figures"), (INSTANCE_STATUS_PORT, "status")):
        yield attempt(
            "M6",
            f"read the databases' {what} at their pods",
            OWN_POD,
            [tcp(address, port, "") for address in scene.databases.values()],
            PORT,
            control=own,
        )
    unlisted = tuple(get(f"http://{address}:{METRICS_PORT}/metrics") for address in scene.databases.values())
    asked = Control(scene.pair.primary, unlisted, r"^http 200 ")
    yield attempt("M14", "read the databases' figures", POD, list(unlisted), PORT, control=asked)
