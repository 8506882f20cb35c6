"""The name servers and the resolver: transfers of a zone and changes of it by DNS itself."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from attacked import Scene
from attempt import CLIENT, CLOSED, DNS, HOST, POD, PORT, Attempt, Control, Question, attempt

from lab.edge.components import lab_settings

SOA, A, AXFR, IXFR, ANY_CLASS = 6, 1, 252, 251, 255
REFUSALS = (1, 4, 5, 9)
"""Codes of DNS: format error, not implemented, refused, no authority of it."""


def name(text: str) -> bytes:
    """Return a name as messages have it."""
    labels = [each.encode() for each in text.rstrip(".").split(".")]
    return b"".join(bytes([len(each)]) + each for each in labels) + b"\0"


def question(zone: str, kind: int) -> str:
    """Return a question, in hexadecimal digits; of IXFR with the serial that the asker has."""
    asked = name(zone) + struct.pack("!2H", kind, 1)
    if kind != IXFR:
        return (struct.pack("!6H", 0x5C5C, 0, 1, 0, 0, 0) + asked).hex()
    soa = name(zone) + struct.pack("!2HIH", SOA, 1, 0, 22) + b"\0\0" + struct.pack("!5I", 1, 0, 0, 0, 0)
    return (struct.pack("!6H", 0x5C5C, 0, 1, 0, 1, 0) + asked + soa).hex()


def update(zone: str, host: str, address: str) -> str:
    """Return a dynamic update (RFC 2136) that adds an address to a host, in hexadecimal digits."""
    record = name(host) + struct.pack("!2HIH", A, 1, 5, 4) + bytes(map(int, address.split(".")))
    return (struct.pack("!6H", 0x5C5C, 0x2800, 1, 0, 1, 0) + name(zone) + struct.pack("!2H", SOA, 1) + record).hex()


def asked(server: str, message: str, *, udp: bool, changes: bool = False) -> Question:
    """Return what is asked of a server."""
    return {"dns": [server, 53], "message": message, "udp": udp, "changes": changes}


def attempts(scene: Scene) -> Iterator[Attempt]:
    """Yield transfers and updates, each with a question of the same kind that is answered."""
    settings, zone = lab_settings(), scene.topology.domain
    servers = list(settings.authorities.values())
    ways = {"TCP": False, "UDP": True}
    for place in (CLIENT, HOST):
        told = Control(place, tuple(asked(each, question(zone, SOA), udp=False) for each in servers), r"rcode 0, [1-9]")
        for what, kind in (("AXFR", AXFR), ("IXFR", IXFR)):
            yield attempt(
                "H10",
                f"transfer the zone by {what}",
                place,
                [asked(each, question(zone, kind), udp=False) for each in servers],
                DNS,
                CLOSED,
                statuses=REFUSALS,
                control=told,
            )
        for way, udp in ways.items():
            change = update(zone, f"www.{zone}", "10.99.80.10")
            yield attempt(
                "H10",
                f"add an address to www by a dynamic update over {way}",
                place,
                [asked(each, change, udp=udp, changes=True) for each in servers],
                DNS,
                CLOSED,
                statuses=REFUSALS,
                control=told,
            )
    resolver = Control(CLIENT, (asked(settings.resolver, question(f"www.{zone}", A), udp=True),), r"rcode 0, [1-9]")
    yield attempt(
        "H10",
        "transfer the zone from the resolver",
        CLIENT,
        [asked(settings.resolver, question(zone, AXFR), udp=False)],
        DNS,
        CLOSED,
        statuses=(*REFUSALS, 2),
        control=resolver,
    )
    direct = Control(CLIENT, tuple(asked(each, question(zone, SOA), udp=False) for each in servers), r"rcode 0, [1-9]")
    yield attempt(
        "H10",
        "transfer the zone by AXFR",
        POD,
        [asked(each, question(zone, AXFR), udp=False) for each in servers],
        PORT,
        control=direct,
    )
