"""Drifts of the edge: names at one authority, zones, what the CDN is set to, and what its cache was told beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from acts import DNS, INSIDE, Act, ActFailedError, Hands
from injections import MARK, Ground, Injection, Prepared, at_authority, at_cdn

_ZONES = "/api/v1/servers/localhost/zones"
_ADDRESS = "10.99.0.99"
EDGE_HOST = "edge"
CACHE = "the CDN's cache"
"""What somebody changes who gives commands to the cache itself, behind the CDN's own settings."""
_DEFAULT_TTL = "120"
"""Seconds: Varnish's own, where nobody set another."""
_Set = Mapping[str, Any]


def edge(ground: Ground) -> list[Injection]:
    """Return all of them: of names, of distributions, and of the cache."""
    return [*_names(ground), *_distributions(ground), *_cache(ground)]


def _names(ground: Ground) -> list[Injection]:
    zone, site = f"{ground.domain}.", f"{ground.elsewhere}.{ground.domain}."
    first, second = ground.authorities[0], ground.authorities[-1]
    inner = f"internal.{zone}"
    document = {"name": inner, "kind": "Native", "nameservers": [], "rrsets": []}
    added = (
        ("TXT", f"_acme-challenge.{zone}", '"mallory"', first),
        ("A", f"shop-us.{zone}", _ADDRESS, second),
        ("CNAME", f"promo.{zone}", "evil.example.", first),
        ("NS", f"eu2.{zone}", "ns.evil.example.", second),
    )

    def with_address(live: _Set) -> _Set:
        return {**live, "records": [{"content": _ADDRESS, "disabled": False}]}

    def with_ttl(live: _Set) -> _Set:
        return {**live, "ttl": 86400}

    return [
        _written("DNS record changed", zone, second, site, "records", with_address),
        _written("DNS record changed", zone, first, site, "ttl", with_ttl),
        _written("DNS record removed", zone, second, site, "", None),
        *(
            at_authority(
                "DNS record added",
                where,
                f"{name} {type_}",
                "",
                _patch(zone, {"name": name, "type": type_, "ttl": 60, "records": _records(content)}),
                _patch(zone, {"name": name, "type": type_}),
            )
            for type_, name, content, where in added
        ),
        at_authority(
            "DNS zone added",
            second,
            f"zone {inner}",
            "",
            ("POST", _ZONES, document),
            ("DELETE", f"{_ZONES}/{inner}", None),
        ),
    ]


def _records(content: str) -> list[dict[str, Any]]:
    return [{"content": content, "disabled": False}]


def _patch(zone: str, rrset: _Set) -> tuple[str, str, Any]:
    """Return the request that writes an rrset, or deletes it where it has no records."""
    change = {**rrset, "changetype": "REPLACE" if "records" in rrset else "DELETE"}
    return "PATCH", f"{_ZONES}/{zone}", {"rrsets": [change]}


def _written(
    sort: str, zone: str, authority: str, name: str, field: str, changed: Callable[[_Set], _Set] | None
) -> Injection:
    """Return a change of an address that is there; None removes it."""

    def act(request: tuple[str, str, Any]) -> Act:
        return Act(DNS, request[:2], authority, json.dumps(request[2]))

    def prepare(hands: Hands) -> Prepared:
        answer = hands.do(Act(DNS, ("GET", f"{_ZONES}/{zone}"), authority))
        if not answer.done:
            raise ActFailedError(f"{authority}: {answer.said[-300:]}")
        rrsets = json.loads(answer.said)["rrsets"]
        live = next((each for each in rrsets if (each["name"], each["type"]) == (name, "A")), None)
        if live is None:
            raise ActFailedError(f"{authority}: there is no {name} A")
        kept = {key: live[key] for key in ("name", "type", "ttl", "records")}
        wanted = changed(kept) if changed else {"name": name, "type": "A"}
        return Prepared((act(_patch(zone, wanted)),), (act(_patch(zone, kept)),))

    return Injection(sort, "edge", f"{name} A at {authority}", field, "DNS API", "edge", "", prepare)


def _distributions(ground: Ground) -> list[Injection]:
    name, document = ground.distribution, dict(ground.document)
    place = f"/v1/distributions/{name}"
    object_ = f"distribution {name}"
    other = {**document, "name": MARK, "hostNames": [f"{MARK}.{ground.domain}"]}

    def put(sort: str, field: str, value: object) -> Injection:
        return at_cdn(sort, object_, field, ("PUT", place, {**document, field: value}), ("PUT", place, document))

    return [
        put("CDN lifetime changed", "defaultTtlSeconds", 31_536_000),
        put("CDN lifetime changed", "staleSeconds", 30 * 86_400),
        put("CDN origin or path changed", "origins", document["origins"][::-1][:1]),
        put("CDN origin or path changed", "policy", "round-robin"),
        put("CDN origin or path changed", "paths", [*document["paths"], "/orders/"]),
        put("CDN origin or path changed", "hostNames", [*document["hostNames"], f"www2.{ground.domain}"]),
        at_cdn(
            "CDN distribution added",
            f"distribution {MARK}",
            "",
            ("PUT", f"/v1/distributions/{MARK}", other),
            ("DELETE", f"/v1/distributions/{MARK}", None),
        ),
    ]


def _cache(ground: Ground) -> list[Injection]:
    """Return commands to the cache through its administrative port: the CDN's API knows nothing of them."""

    def varnishadm(*words: str) -> Act:
        return Act(INSIDE, ("varnishadm", "-n", ground.varnish, *words), EDGE_HOST)

    def active(hands: Hands) -> str:
        answer = hands.do(varnishadm("vcl.list"))
        lines = [line.split() for line in answer.said.splitlines()] if answer.done else []
        found = next((words[-1] for words in lines if words and words[0] == "active"), "")
        if not found:
            raise ActFailedError(f"{EDGE_HOST}: the cache does not say which configuration is active: {answer.said}")
        return found

    def other_configuration(hands: Hands) -> Prepared:
        before = active(hands)
        text = r'"vcl 4.1; backend default { .host = \"10.99.0.99\"; } sub vcl_recv { return (pass); }"'
        do = (varnishadm("vcl.inline", MARK, text), varnishadm("vcl.use", MARK))
        return Prepared(do, (varnishadm("vcl.use", before), varnishadm("vcl.discard", MARK)))

    longer = Prepared(
        (varnishadm("param.set", "default_ttl", "86401"),), (varnishadm("param.set", "default_ttl", _DEFAULT_TTL),)
    )

    def command(field: str, prepare: Callable[[Hands], Prepared]) -> Injection:
        return Injection("CDN's cache told otherwise", "edge", CACHE, field, "varnishadm", "cache", "", prepare)

    return [command("configuration", other_configuration), command("default_ttl", lambda _hands: longer)]
