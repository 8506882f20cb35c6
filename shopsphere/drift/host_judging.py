"""The rules of one host's kernel against those that are declared for it, and those that nobody declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from shopsphere.clients.host_rules import FenceState, HostRules
from shopsphere.drift.host_finding import HostPlace
from shopsphere.drift.host_programs import judge_others
from shopsphere.drift.model import Drift, Kind
from shopsphere.estate.host_rules import FENCE_TABLE, GUARD_TABLE, PERMITTED
from shopsphere.estate.nftables import Document, Name, Rule, Table, canonical, only_blocks, text_of
from shopsphere.foundation.finding import Severity

LATE_SECONDS = 3.0
"""So much later (s) than the agent says a fence may end: the kernel counts in whole seconds, from when it was told."""


@dataclass
class Contents:
    """What is in one table.

    Attributes:
        table: its own document.
        chains: documents of its chains by name.
        rules: rules by name of their chain, in their order.
        sets: documents of its sets by name.
        others: all else, as kind and name.
    """

    table: Document = field(default_factory=dict)
    chains: dict[str, Document] = field(default_factory=dict)
    rules: dict[str, list[Rule]] = field(default_factory=dict)
    sets: dict[str, Document] = field(default_factory=dict)
    others: list[tuple[str, str]] = field(default_factory=list)


def by_table(listing: Sequence[Document]) -> dict[Name, Contents]:
    """Return the contents of each table of a listing."""
    found: dict[Name, Contents] = {}
    for entry in listing:
        ((kind, body),) = entry.items()
        table = str(body.get("name" if kind == "table" else "table", ""))
        contents = found.setdefault((body["family"], table), Contents())
        name = str(body.get("name", ""))
        match kind:
            case "table":
                contents.table = body
            case "chain":
                contents.chains[name] = body
            case "rule":
                contents.rules.setdefault(str(body.get("chain", "")), []).append(tuple(body["expr"]))
            case "set":
                contents.sets[name] = body
            case _:
                contents.others.append((kind, name))
    return found


def judge_host(place: HostPlace, declared: Sequence[Table], told: HostRules) -> Iterator[Drift]:
    """Yield all findings of a host; of a fence that is being changed nothing is said.

    Args:
        place: the host.
        declared: the tables that it should have loaded.
        told: what its kernel has.
    """
    live = by_table(told.nftables)
    known = {table.key for table in declared}
    for table in declared:
        is_fence = table.name == FENCE_TABLE
        if is_fence and told.fence and told.fence.changing:
            continue
        contents = live.get(table.key)
        if contents is None:
            # Everything that it shuts off is open.
            yield place.drift(
                table.key, "", Kind.MISSING, Severity.CRITICAL, declared="a table", residency=_is_border(table.key)
            )
            continue
        yield from _judge_table(place, table.key, by_table(table.listing())[table.key], contents)
        if is_fence and told.fence and PERMITTED in contents.sets:
            yield from _judge_opening(place, table.key, contents.sets[PERMITTED].get("elem", []), told.fence)
    yield from judge_others(place, {key: each for key, each in live.items() if key not in known})


def _is_border(table: Name) -> bool:
    """Whether a table keeps data in its jurisdiction; the fence is about which site of a pair writes."""
    return table[1] == GUARD_TABLE


def _judge_table(place: HostPlace, key: Name, declared: Contents, live: Contents) -> Iterator[Drift]:
    yield from _fields(place, key, "table", declared.table, live.table)
    for what, wanted, found in (("chain", declared.chains, live.chains), ("set", declared.sets, live.sets)):
        for name in sorted({*wanted, *found}):
            yield from _part(place, key, f"{what} {name}", wanted.get(name), found.get(name))
    for name in declared.chains:
        if name in live.chains:
            yield from _judge_rules(place, key, name, declared.rules.get(name, []), live.rules.get(name, []))
    for kind, name in live.others:
        yield _serious(place, key, f"{kind} {name}", Kind.ADDED, live=f"a {kind}")


def _part(place: HostPlace, key: Name, name: str, declared: Document | None, live: Document | None) -> Iterator[Drift]:
    if live is None:
        yield _serious(place, key, name, Kind.REMOVED, declared="declared")
    elif declared is None:
        yield _serious(place, key, name, Kind.ADDED, live=canonical(live))
    else:
        yield from _fields(place, key, name, declared, live)


def _fields(place: HostPlace, key: Name, name: str, declared: Document, live: Document) -> Iterator[Drift]:
    for each in sorted({*declared, *live} - {"elem"}):
        wanted, found = declared.get(each), live.get(each)
        if wanted != found:
            kind = Kind.ADDED if wanted is None else Kind.REMOVED if found is None else Kind.CHANGED
            shuts = each == "policy" and found == "drop"
            text = {"declared": _text(wanted), "live": _text(found)}
            yield (_mild if shuts else _serious)(place, key, f"{name}, {each}", kind, **text)


def _judge_rules(
    place: HostPlace, key: Name, chain: str, declared: Sequence[Rule], live: Sequence[Rule]
) -> Iterator[Drift]:
    """Yield what differs in a chain, whose rules count in their order."""
    wanted, found = [canonical(each) for each in declared], [canonical(each) for each in live]
    if wanted != found and sorted(wanted) == sorted(found):
        text = {"declared": "; ".join(map(text_of, declared)), "live": "; ".join(map(text_of, live))}
        yield _serious(place, key, f"chain {chain}, order of rules", Kind.CHANGED, **text)
        return
    for _, i, i_end, j, j_end in SequenceMatcher(None, wanted, found, autojunk=False).get_opcodes():
        if wanted[i:i_end] == found[j:j_end]:
            continue
        both = min(i_end - i, j_end - j)
        for at in range(both):
            texts = {"declared": text_of(declared[i + at]), "live": text_of(live[j + at])}
            yield _serious(place, key, f"chain {chain}, rule {i + at + 1}", Kind.CHANGED, **texts)
        for at in range(i + both, i_end):
            gone = text_of(declared[at])
            yield _serious(place, key, f"chain {chain}, rule {at + 1}", Kind.REMOVED, declared=gone)
        for at in range(j + both, j_end):
            finding = _mild if only_blocks(live[at]) else _serious
            yield finding(place, key, f"chain {chain}, rule {at + 1}", Kind.ADDED, live=text_of(live[at]))


def _judge_opening(place: HostPlace, key: Name, elements: Sequence[Any], fence: FenceState) -> Iterator[Drift]:
    """Yield an opening that is not the agent's: for other ports, longer than the agent said, or none at all."""
    left = fence.seconds_left
    wanted = "nothing" if left == 0 else f"{fence.port}" + ("" if left is None else f" for {left:.0f} s")
    found = [_element(each) for each in elements]
    live = ", ".join(f"{port}" + ("" if expires is None else f" for {expires:g} s") for port, expires in found)
    if left == 0:
        is_more = bool(found)
    else:
        is_more = any(port != fence.port or _is_longer(expires, left) for port, expires in found)
    name = f"set {PERMITTED}, elements"
    if is_more:
        yield _serious(place, key, name, Kind.CHANGED, declared=wanted, live=live)
    elif left != 0 and not found:
        yield _mild(place, key, name, Kind.CHANGED, declared=wanted, live="nothing")


def _element(element: Any) -> tuple[Any, float | None]:
    """Return value and remaining time (s) of a set's element; None for no end."""
    body = element.get("elem") if isinstance(element, Mapping) else None
    if not isinstance(body, Mapping):
        return element, None
    expires = body.get("expires", body.get("timeout"))
    return body.get("val"), float(expires) if isinstance(expires, int | float) else None


def _is_longer(expires: float | None, left: float | None) -> bool:
    return left is not None and (expires is None or expires > left + LATE_SECONDS)


def _serious(place: HostPlace, key: Name, field_: str, kind: Kind, *, declared: str = "", live: str = "") -> Drift:
    """Return a finding about what may let somebody through."""
    border = _is_border(key)
    return place.drift(key, field_, kind, Severity.CRITICAL, declared=declared, live=live, residency=border)


def _mild(place: HostPlace, key: Name, field_: str, kind: Kind, *, declared: str = "", live: str = "") -> Drift:
    """Return a finding about what only keeps more away than it should."""
    return place.drift(key, field_, kind, Severity.HIGH, declared=declared, live=live)


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else canonical(value)
