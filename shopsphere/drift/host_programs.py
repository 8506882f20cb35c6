"""Tables of a host that nobody declared: those that programs of a node write, and those that nobody knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shopsphere.drift.host_finding import HostPlace
from shopsphere.drift.model import Drift, Kind
from shopsphere.estate.host_rules import COMPLIES
from shopsphere.estate.nftables import Document, Name, Rule, only_blocks, text_of
from shopsphere.foundation.finding import Severity

_FAMILIES = ("ip", "ip6")
_SHOWN = 3
"""Rules of an undeclared table that its finding shows."""
_DECIDES_NOTHING = frozenset({"match", "jump", "goto", "return", "drop", "reject", "counter"})


class Found(Protocol):
    """What is in a table."""

    chains: dict[str, Document]
    rules: dict[str, list[Rule]]
    others: list[tuple[str, str]]


@dataclass(frozen=True)
class Program:
    """A program of a node that writes tables, and writes them again and again.

    Attributes:
        tables: their families and names.
        chains: names of those that the kernel calls by itself, to the end of the name.
        targets: chains to which those lead, from the beginning of the name; all else in them is somebody else's.
    """

    tables: frozenset[Name]
    chains: re.Pattern[str]
    targets: re.Pattern[str]


PROGRAMS = (
    # pkg/proxy/nftables of Kubernetes: base chains are named <type>-<hook>, and have jumps alone.
    Program(
        frozenset((family, "kube-proxy") for family in _FAMILIES), re.compile(r"(filter|nat)-[a-z-]+"), re.compile("")
    ),
    # iptables-nft, as policy engines, CNI plugins and the kubelet use it where they do not use iptables-legacy.
    Program(
        frozenset((family, name) for family in _FAMILIES for name in ("filter", "nat", "mangle", "raw", "security")),
        re.compile("INPUT|OUTPUT|FORWARD|PREROUTING|POSTROUTING"),
        re.compile("KUBE-|CNI-|cali-|CILIUM_|ANTREA-"),
    ),
)


def judge_others(place: HostPlace, tables: Mapping[Name, Found]) -> Iterator[Drift]:
    """Yield tables of nobody, and what somebody put into the tables of a node's programs."""
    for key, found in tables.items():
        program = next((each for each in PROGRAMS if key in each.tables), None)
        if program is None:
            yield _undeclared(place, key, found)
        else:
            yield from _strange(place, key, found, program)


def _undeclared(place: HostPlace, key: Name, found: Found) -> Drift:
    rules = [rule for each in found.rules.values() for rule in each]
    objects = [f"{kind} {name}" for kind, name in found.others]
    told = [*objects, *map(text_of, rules)]
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    # A flowtable leads packets past all chains; maps and counters do nothing without a rule.
    opens = any(kind == "flowtable" for kind, _ in found.others) or not all(map(only_blocks, rules))
    return place.drift(
        key,
        "",
        Kind.UNDECLARED,
        Severity.CRITICAL if opens else Severity.HIGH,
        live=f"a table: {'; '.join(told[:_SHOWN]) or 'empty'}{more}",
        residency=opens,
        repair=place.nft("delete", "table", *key),
    )


def _strange(place: HostPlace, key: Name, found: Found, program: Program) -> Iterator[Drift]:
    for name, chain in found.chains.items():
        is_called = "hook" in chain
        if is_called and not program.chains.fullmatch(name):
            yield _added(place, key, f"chain {name}", "a chain that the kernel calls by itself", name)
            continue
        for number, rule in enumerate(found.rules.get(name, []), 1):
            if _forges_the_mark(rule) or (is_called and not _leads_on(rule, program)):
                yield _added(place, key, f"chain {name}, rule {number}", text_of(rule), name)
    for kind, name in found.others:
        if kind == "flowtable":
            yield _added(place, key, f"flowtable {name}", "a flowtable", "")


def _added(place: HostPlace, key: Name, field: str, live: str, chain: str) -> Drift:
    words = ("-a", "list", "chain", *key, chain) if chain else ("-a", "list", "table", *key)
    repair = f"{place.nft(*words)}, then delete what has no business there by its handle"
    return place.drift(key, field, Kind.ADDED, Severity.CRITICAL, live=live, residency=True, repair=repair)


def _leads_on(rule: Sequence[Mapping[str, Any]], program: Program) -> bool:
    """Whether a rule does nothing but lead to a chain of its program, or refuse."""
    if not all(set(each) <= _DECIDES_NOTHING or _is_condition(each) for each in rule):
        return False
    targets = [each[word]["target"] for each in rule for word in ("jump", "goto") if word in each]
    return all(program.targets.match(str(target)) for target in targets)


def _is_condition(statement: Mapping[str, Any]) -> bool:
    """Whether a statement is an extension of iptables that only looks."""
    body = statement.get("xt")
    return isinstance(body, Mapping) and body.get("type") == "match"


def _forges_the_mark(rule: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a rule says of a packet that policies let it through, which kube-router alone may say."""
    marks = [each["mangle"] for each in rule if "mangle" in each]
    return any(mark.get("key") == {"meta": {"key": "mark"}} and _may_set(mark.get("value")) for mark in marks)


def _may_set(value: Any) -> bool:
    """Whether the bit of kube-router's mark may be set by an expression."""
    if isinstance(value, int):
        return bool(value & COMPLIES)
    if not isinstance(value, Mapping):
        return True
    ((operator, parts),) = value.items()
    if operator in {"|", "^"} and isinstance(parts, list):
        return any(map(_may_set, parts))
    if operator == "&":
        return isinstance(parts, list) and all(map(_may_set, parts))
    return value != {"meta": {"key": "mark"}}
