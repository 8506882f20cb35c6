"""What a stranger does with nft on a host: as changes of a listing, with what has to be found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from told_hosts import listing

from shopsphere.drift.model import Kind
from shopsphere.foundation.finding import Severity

Document = dict[str, Any]
Change = Callable[[list[Document]], object]
FENCE, GUARD = "nftables inet shopsphere_fence at frankfurt", "nftables ip shopsphere_pod_guard at frankfurt"


def changed(change: Change, name: str = "closed") -> list[Document]:
    rules = listing(name)
    change(rules)
    return rules


def the(rules: list[Document], kind: str, table: str, **which: Any) -> Document:
    """Return the first object of a kind in a table."""
    bodies = [entry[kind] for entry in rules if kind in entry]
    place = "name" if kind == "table" else "table"
    return next(each for each in bodies if each[place] == table and which.items() <= each.items())


def rules_of(rules: list[Document], table: str) -> list[Document]:
    return [entry for entry in rules if entry.get("rule", {}).get("table") == table]


ACCEPT: Document = {"accept": None}
MARK = {"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"|": [{"meta": {"key": "mark"}}, 0x20000]}}}
MASQUERADE = {"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"|": [{"meta": {"key": "mark"}}, 0x4000]}}}


def rule(table: str, chain: str, *statements: Document, family: str = "ip") -> Document:
    return {"rule": {"family": family, "table": table, "chain": chain, "handle": 99, "expr": [*statements]}}


def without_table(name: str) -> Change:
    def change(rules: list[Document]) -> None:
        rules[:] = [
            entry for entry in rules for body in entry.values() if name not in (body.get("table"), body.get("name"))
        ]

    return change


def put(entry: Document, *, before: str = "", at: int = -1) -> Change:
    def change(rules: list[Document]) -> None:
        own = rules_of(rules, before)
        rules.insert(rules.index(own[at]) if own else len(rules), entry)

    return change


def drop_rule(table: str, number: int) -> Change:
    return lambda rules: rules.remove(rules_of(rules, table)[number - 1])


def edit_rule(table: str, number: int, statement: int, value: Document) -> Change:
    def change(rules: list[Document]) -> None:
        rules_of(rules, table)[number - 1]["rule"]["expr"][statement] = value

    return change


def edit(kind: str, table: str, key: str, value: Any) -> Change:
    return lambda rules: the(rules, kind, table).update({key: value})


def swap(table: str, one: int, other: int) -> Change:
    def change(rules: list[Document]) -> None:
        first, second = (rules_of(rules, table)[number - 1]["rule"] for number in (one, other))
        first["expr"], second["expr"] = second["expr"], first["expr"]

    return change


BRIDGE = {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "cni0"}}
FORWARD = {"family": "ip", "name": "in", "type": "filter", "hook": "forward", "prio": 60, "policy": "accept"}
P, F = "shopsphere_pod_guard", "shopsphere_fence"
CRITICAL, HIGH = Severity.CRITICAL, Severity.HIGH
# fmt: off
INJECTED: list[tuple[str, Change, str, str, Kind, Severity, bool]] = [
    ("guard flushed away", without_table(P), GUARD, "", Kind.MISSING, CRITICAL, True),
    ("fence deleted", without_table(F), FENCE, "", Kind.MISSING, CRITICAL, False),
    ("last drop gone", drop_rule(P, 5), GUARD, "chain forward, rule 5", Kind.REMOVED, CRITICAL, True),
    ("one direction open", drop_rule(F, 2), FENCE, "chain forward, rule 2", Kind.REMOVED, CRITICAL, False),
    ("accept before drop", put(rule(P, "forward", BRIDGE, ACCEPT), before=P), GUARD, "chain forward, rule 5",
     Kind.ADDED, CRITICAL, True),
    ("accept first", put(rule(F, "forward", ACCEPT, family="inet"), before=F, at=0), FENCE, "chain forward, rule 1",
     Kind.ADDED, CRITICAL, False),
    ("another drop", put(rule(P, "forward", {"drop": None}), before=P, at=0), GUARD, "chain forward, rule 1",
     Kind.ADDED, HIGH, False),
    ("a wider network", edit_rule(P, 1, 0, {"match": {"op": "!=", "left": {"payload": {"protocol": "ip",
     "field": "saddr"}}, "right": {"prefix": {"addr": "10.11.0.0", "len": 24}}}}), GUARD, "chain forward, rule 1",
     Kind.CHANGED, CRITICAL, True),
    ("another verdict", edit_rule(P, 5, 0, ACCEPT), GUARD, "chain forward, rule 5", Kind.CHANGED, CRITICAL, True),
    ("another port", edit_rule(F, 1, 0, {"match": {"op": "==", "left": {"payload": {"protocol": "tcp",
     "field": "dport"}}, "right": 5433}}), FENCE, "chain forward, rule 1", Kind.CHANGED, CRITICAL, False),
    ("another order", swap(P, 4, 5), GUARD, "chain forward, order of rules", Kind.CHANGED, CRITICAL, True),
    ("policy drop", edit("chain", P, "policy", "drop"), GUARD, "chain forward, policy", Kind.CHANGED, HIGH, False),
    ("another hook", edit("chain", P, "hook", "output"), GUARD, "chain forward, hook", Kind.CHANGED, CRITICAL, True),
    ("another priority", edit("chain", F, "prio", 400), FENCE, "chain forward, prio", Kind.CHANGED, CRITICAL, False),
    ("asleep", edit("table", F, "flags", "dormant"), FENCE, "table, flags", Kind.ADDED, CRITICAL, False),
    ("set without its end", edit("set", F, "flags", ["constant"]), FENCE, "set permitted, flags", Kind.CHANGED,
     CRITICAL, False),
    ("opened by hand", edit("set", F, "elem", [5432]), FENCE, "set permitted, elements", Kind.CHANGED, CRITICAL, False),
    ("a chain of somebody's", put({"chain": {"table": P, **FORWARD}}), GUARD, "chain in", Kind.ADDED, CRITICAL, True),
    ("a flowtable", put({"flowtable": {"family": "ip", "table": P, "name": "fast", "hook": "ingress"}}), GUARD,
     "flowtable fast", Kind.ADDED, CRITICAL, True),
    ("a table that accepts", put(rule("tap", "in", ACCEPT, family="inet")), "nftables inet tap at frankfurt", "",
     Kind.UNDECLARED, CRITICAL, True),
    ("a table that only drops", put(rule("tap", "in", {"drop": None})), "nftables ip tap at frankfurt", "",
     Kind.UNDECLARED, HIGH, False),
    ("kube-proxy's jump replaced", put(rule("kube-proxy", "filter-forward", ACCEPT)),
     "nftables ip kube-proxy at frankfurt", "chain filter-forward, rule 2", Kind.ADDED, CRITICAL, True),
    ("a forged mark", put(rule("kube-proxy", "services", copy.deepcopy(MARK))), "nftables ip kube-proxy at frankfurt",
     "chain services, rule 3", Kind.ADDED, CRITICAL, True),
    ("a hook of its own in kube-proxy's", put({"chain": {"table": "kube-proxy", **FORWARD}}),
     "nftables ip kube-proxy at frankfurt", "chain in", Kind.ADDED, CRITICAL, True),
]
# fmt: on
