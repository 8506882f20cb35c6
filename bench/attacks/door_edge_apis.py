"""The APIs of name servers and CDN, and the door in front of them (H10, M12, M14)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attacked import Scene
from attempt import (
    CLIENT,
    CLOSED,
    DESK,
    HOST,
    POD,
    PORT,
    STATUS,
    TLS,
    TLS_HELLO,
    Attempt,
    Control,
    Question,
    attempt,
    get,
    post,
    tcp,
)
from door_witness import certificate_elsewhere

from lab.edge.components import lab_settings
from shopsphere.clients.edge_identity import DEPLOYER, PULLER, RUNBOOKS, WATCHER, EdgeIdentity
from shopsphere.names.steering import state_label

ZONES = "/api/v1/servers/localhost/zones"


def certificate(user: str) -> list[str]:
    """Return certificate and key of a user of the edge."""
    _, shown, key = EdgeIdentity(lab_settings().edge_keys, user).files
    return [str(shown), str(key)]


def change(name: str, content: str, kind: str = "LUA", ttl: int = 5) -> dict[str, Any]:
    """Return the body that sets a record."""
    record = {"content": content, "disabled": False}
    return {"rrsets": [{"name": name, "type": kind, "ttl": ttl, "changetype": "REPLACE", "records": [record]}]}


def _patch(url: str, body: Any, **more: Any) -> Question:
    return {**post(url, body, **more), "method": "PATCH"}


def attempts(scene: Scene) -> Iterator[Attempt]:
    """Yield what strangers try at the APIs, and what the door refuses those who have a certificate."""
    settings, zone = lab_settings(), scene.topology.domain
    apis = [f"https://{each}:{settings.dns_api_port}" for each in settings.authorities.values()]
    zones = [f"{each}{ZONES}/{zone}." for each in apis]
    cdn = f"https://{settings.cdn}:{settings.cdn_api_port}"
    knows = Control(DESK, tuple(get(each, certificate=certificate(WATCHER)) for each in zones), r"^http 200 .*rrsets")
    tells = Control(DESK, (get(f"{cdn}/v1/distributions", certificate=certificate(WATCHER)),), r"^http 200 ")
    program = change(f"www.{zone}.", "A \"os.execute('id')\"")
    take = {**post(f"{cdn}/v1/distributions/static", {"name": "static"}), "method": "PUT"}
    for place in (CLIENT, HOST):
        yield attempt("H10", "rewrite www", place, [_patch(each, program) for each in zones], PORT, control=knows)
        yield attempt("H10", "read the zone", place, [get(each) for each in zones], PORT, control=knows)
        pages = [
            get(f"{each}{page}") for each in apis for page in ("/", "/metrics", "/api/v1/servers/localhost/statistics")
        ]
        yield attempt("M14", "read the name servers' statistics", place, pages, PORT, control=knows)
        acts = [take, {**take, "method": "DELETE"}, get(f"{cdn}/v1/distributions"), get(f"{cdn}/metrics")]
        yield attempt("M12", "take the CDN over", place, acts, PORT, control=tells)
        inner = (settings.cache_admin_port, settings.cache_port, settings.cdn_inner_port, settings.dns_inner_port)
        yield attempt(
            "M12",
            "ask the cache and the APIs behind the door",
            place,
            [tcp(settings.cdn, each) for each in inner],
            PORT,
            control=tells,
        )
    reach = [tcp(each, settings.dns_api_port, TLS_HELLO) for each in settings.authorities.values()]
    yield attempt("H10", "reach the name servers' API", POD, reach, PORT, control=knows)
    yield attempt(
        "M12", "reach the CDN's API", POD, [tcp(settings.cdn, settings.cdn_api_port, TLS_HELLO)], PORT, control=tells
    )
    yield from _at_the_door(scene, zones, knows, tells, cdn)


def _at_the_door(scene: Scene, zones: list[str], knows: Control, tells: Control, cdn: str) -> Iterator[Attempt]:
    zone, pair = scene.topology.domain, scene.pair.name
    program = change(f"www.{zone}.", "A \"os.execute('id')\"")
    foreign = certificate_elsewhere(scene.other.name)
    guessed = {"headers": {"X-API-Key": "changeme", "Content-Type": "application/json"}}
    clear = [_patch(each.replace("https", "http"), program) for each in zones]
    yield attempt(
        "H10",
        "rewrite www in clear with a guessed key",
        DESK,
        [{**each, **guessed} for each in clear],
        CLOSED,
        STATUS,
        statuses=(400,),
        control=knows,
    )
    yield attempt(
        "H10",
        "rewrite www without a certificate",
        DESK,
        [_patch(each, program) for each in zones],
        TLS,
        CLOSED,
        control=knows,
    )
    yield attempt(
        "H10",
        "rewrite www with the certificate of a witness's operator",
        DESK,
        [_patch(each, program, certificate=foreign) for each in zones],
        TLS,
        CLOSED,
        control=knows,
    )
    state = f"{state_label(pair)}.{zone}"
    writes = {
        "rewrite www": program,
        "put an epoch of 10^17 into the state of a pair": change(f"{state}.", f'TXT "{10**17} {scene.pair.recovery}"'),
        "put a program into the state of a pair": change(f"{state}.", "A \"os.execute('id')\""),
        "point the name server elsewhere": change(f"ns1.{zone}.", "10.99.80.10", "A"),
    }
    for user in (WATCHER, RUNBOOKS, PULLER):
        for what, body in writes.items():
            yield attempt(
                "H10",
                f"{what} as {user}",
                DESK,
                [_patch(each, body, certificate=certificate(user)) for each in zones],
                STATUS,
                control=knows,
            )
    keys = [get(f"{each}/cryptokeys/1", certificate=certificate(DEPLOYER)) for each in zones]
    yield attempt("H10", "read the private key of the zone as deployer", DESK, keys, STATUS, control=knows)
    base = zones[0].removesuffix(f"{ZONES}/{zone}.")
    pages = [
        get(f"{base}{page}", certificate=certificate(DEPLOYER))
        for page in ("/", "/metrics", "/api/v1/servers/localhost/config")
    ]
    yield attempt("M14", "read the name servers' statistics as deployer", DESK, pages, STATUS, control=knows)
    loads = {**post(f"{cdn}/v1/distributions/static", {"name": "static"}), "method": "PUT"}
    for user in (WATCHER, RUNBOOKS, PULLER):
        yield attempt(
            "M12",
            f"change what the CDN serves as {user}",
            DESK,
            [{**loads, "certificate": certificate(user)}],
            STATUS,
            control=tells,
        )
    yield attempt("M12", "change what the CDN serves without a certificate", DESK, [loads], TLS, CLOSED, control=tells)
