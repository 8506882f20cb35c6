"""A table of nftables as one value: the text that loads it, and the JSON in which the kernel lists it.

The statements of a rule are written as `nft -j` prints them (libnftables-json(5)), and the text is made from them, so
that what is loaded and what is compared cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
Statement = Mapping[str, Any]
"""One statement of a rule, as in `{"drop": None}`."""
Rule = tuple[Statement, ...]
Name = tuple[str, str]
"""Family and name of a table, as in `inet`, `shopsphere_fence`."""
_MOVING = frozenset({"handle", "index", "comment", "packets", "bytes", "used"})
"""What moves by itself, or changes nothing."""
_COUNTER = "counter"
_DYNAMIC = "dynamic"
"""Flag of a set that rules fill; some versions of nft leave it out where they list a set as JSON."""
_CAN_DROP = frozenset({"match", _COUNTER, "drop", "reject"})


class ListingError(ValueError):
    """Something is no listing of nftables."""


@dataclass(frozen=True)
class NamedSet:
    """A set whose elements are added and taken away at run time.

    Attributes:
        name: as rules call it, without the `@`.
        type: of its elements; several words where an element has several parts.
        flags: of the set.
        seconds: for which an element stays (s); 0 for no end.
        size: most elements; 0 for no bound of its own.
    """

    name: str
    type: str | tuple[str, ...]
    flags: tuple[str, ...] = ()
    seconds: int = 0
    size: int = 0

    @property
    def types(self) -> tuple[str, ...]:
        """The type of each part of an element."""
        return (self.type,) if isinstance(self.type, str) else self.type

    def words(self) -> str:
        """What it is, as nft writes it."""
        parts = [f"type {' . '.join(self.types)};"]
        parts += [f"flags {','.join(self.flags)};"] if self.flags else []
        parts += [f"timeout {self.seconds}s;"] if self.seconds else []
        parts += [f"size {self.size};"] if self.size else []
        return " ".join(parts)

    def listed(self) -> Document:
        """What it is, as the kernel lists it."""
        found: Document = {"name": self.name, "type": [*self.types] if len(self.types) > 1 else self.type}
        found |= {"flags": [*self.flags]} if self.flags else {}
        found |= {"timeout": self.seconds} if self.seconds else {}
        return found | ({"size": self.size} if self.size else {})


@dataclass(frozen=True)
class Chain:
    """A chain of the type `filter` that the kernel calls by itself, or one that rules lead to.

    Attributes:
        name: its name.
        hook: where the kernel calls it; empty for one that rules lead to.
        priority: when, among the chains of this hook: lower ones first.
        rules: in their order.
        policy: what becomes of a packet that no rule decides about.
    """

    name: str
    hook: str
    priority: int
    rules: tuple[Rule, ...]
    policy: str = "accept"

    def words(self) -> list[str]:
        """When the kernel calls it, as nft writes it."""
        return [f"type filter hook {self.hook} priority {self.priority}; policy {self.policy};"] if self.hook else []

    def listed(self) -> Document:
        """What it is, as the kernel lists it."""
        called = {"type": "filter", "hook": self.hook, "prio": self.priority, "policy": self.policy}
        return {"name": self.name, **(called if self.hook else {})}


@dataclass(frozen=True)
class Table:
    """A table with all that is in it."""

    family: str
    name: str
    chains: tuple[Chain, ...]
    sets: tuple[NamedSet, ...] = ()

    @property
    def key(self) -> Name:
        """Family and name."""
        return self.family, self.name

    def text(self, elements: Mapping[str, str] | None = None) -> str:
        """Return the input of `nft -f` that makes the table so, also where it is there already.

        Args:
            elements: of its sets by their name, as nft writes them; a set that is not named is empty.
        """
        head = f"table {self.family} {self.name}"
        lines = [f"{head} {{}}", f"delete {head}", f"{head} {{"]
        for each in self.sets:
            filled = (elements or {}).get(each.name, "")
            held = [f"        elements = {{ {filled} }}"] if filled else []
            lines += [f"    set {each.name} {{", f"        {each.words()}", *held, "    }"]
        for chain in self.chains:
            rules = [f"        {line}" for line in (*chain.words(), *map(text_of, chain.rules))]
            lines += [f"    chain {chain.name} {{", *rules, "    }"]
        return "\n".join([*lines, "}", ""])

    def listing(self) -> list[Document]:
        """Return what `essential` makes of the kernel's listing of this table, its sets empty."""
        place = {"family": self.family, "table": self.name}
        found: list[Document] = [{"table": {"family": self.family, "name": self.name}}]
        found += [{"set": {**place, **each.listed()}} for each in self.sets]
        found += [{"chain": {**place, **each.listed()}} for each in self.chains]
        rules = ((each.name, rule) for each in self.chains for rule in each.rules)
        found += [{"rule": {**place, "chain": name, "expr": [*rule]}} for name, rule in rules]
        return essential(found, whole={self.key})


def match(left: Any, operator: str, right: Any) -> Statement:
    """Return a condition of a rule; without it the rest of the rule does not count."""
    return {"match": {"op": operator, "left": left, "right": right}}


def payload(protocol: str, field: str) -> Document:
    """Return a field of a packet, as in `tcp`, `dport`."""
    return {"payload": {"protocol": protocol, "field": field}}


DROP: Statement = {"drop": None}
ACCEPT: Statement = {"accept": None}


def only_blocks(rule: Sequence[Statement]) -> bool:
    """Whether a rule does nothing but refuse packets, so that it can let nothing in or out."""
    return all(set(each) <= _CAN_DROP for each in rule)


def essential(listing: Sequence[Mapping[str, Any]], *, whole: Collection[Name]) -> list[Document]:
    """Return the objects of a listing without what moves by itself and in one notation; repeating it is fine.

    Handles, counters and comments are left out, and members of sets are in one order.

    Args:
        listing: the value of `nftables` in what `nft -j list ruleset` prints.
        whole: tables whose sets keep their elements; those of others change with what runs.

    Raises:
        ListingError: it is none.
    """
    return [*_essential(listing, whole)]


def _essential(listing: Sequence[Mapping[str, Any]], whole: Collection[Name]) -> Iterator[Document]:
    for entry in listing:
        if len(entry) != 1:
            raise ListingError(f"each object has one kind, found {sorted(entry)}")
        ((kind, body),) = entry.items()
        if kind == "metainfo":
            continue
        if not isinstance(body, Mapping) or not isinstance(body.get("family"), str):
            raise ListingError(f"a {kind} has a family, found {str(body)[:80]}")
        kept = {key: value for key, value in body.items() if key not in _MOVING}
        if kind == "rule":
            kept["expr"] = [_ordered(each) for each in _statements(body) if _COUNTER not in each]
        elif kind != "table" and (kept["family"], kept.get("table")) not in whole:
            kept.pop("elem", None)
        if isinstance(kept.get("flags"), list):
            kept["flags"] = sorted({*kept["flags"]} - {_DYNAMIC})
            if not kept["flags"]:
                del kept["flags"]
        yield {kind: kept}


def _statements(rule: Mapping[str, Any]) -> list[Statement]:
    found = rule.get("expr", [])
    if not isinstance(found, list) or not all(isinstance(each, Mapping) and len(each) == 1 for each in found):
        raise ListingError(f"a rule has a list of statements, found {str(found)[:80]}")
    return found


def _ordered(value: Any) -> Any:
    """Return an expression with the members of its sets in one order."""
    if isinstance(value, list):
        return [_ordered(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    parts = {key: _ordered(part) for key, part in value.items()}
    for key in ("set", "right"):
        if isinstance(parts.get(key), list):
            parts[key] = sorted(parts[key], key=canonical)
    members = parts.get("set")
    # A kernel that was given one member lists it alone, and one that has joined neighbours lists a set of one.
    return members[0] if isinstance(members, list) and len(members) == len(parts) == 1 else parts


def canonical(value: Any) -> str:
    """Return a value as text that is the same for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def text_of(rule: Sequence[Statement]) -> str:
    """Return a rule as nft writes it; what our own rules do not use stays JSON."""
    return " ".join(map(_shown, rule))


def _shown(statement: Statement) -> str:
    try:
        return _statement(statement)
    except (KeyError, TypeError, ValueError, AttributeError):  # a newer nft may write it in another way
        return canonical(statement)


def _statement(statement: Statement) -> str:
    ((kind, body),) = statement.items()
    if kind == "match":
        left, operator = _expression(body["left"]), body["op"]
        implied = operator == "in" or (operator == "==" and "&" not in body["left"])
        return f"{left} {'' if implied else f'{operator} '}{_expression(body['right'])}"
    if kind == "mangle":
        return f"{_expression(body['key'])} set {_expression(body['value'])}"
    if kind in {"jump", "goto"}:
        return f"{kind} {body['target']}"
    if kind in _SPOKEN and body is not None:
        return _SPOKEN[kind](body)
    return kind if body is None else canonical(statement)


def _log(body: Document) -> str:
    return f'log prefix "{body["prefix"]}" group {body["group"]} snaplen {body["snaplen"]}'


def _limit(body: Document) -> str:
    over = "over " if body.get("inv") else ""
    return f"limit rate {over}{body['rate']}/{body['per']} burst {body['burst']} packets"


def _set(body: Document) -> str:
    stated = " ".join(map(_statement, body.get("stmt", ())))
    return f"{body['op']} {body['set']} {{ {_expression(body['elem'])} {stated} }}"


def _reject(body: Document) -> str:
    kind = body["type"]
    return f"reject with {kind}" if kind == "tcp reset" else f"reject with {kind} type {body['expr']}"


_SPOKEN: Mapping[str, Callable[[Document], str]] = {
    "log": _log,
    "limit": _limit,
    "reject": _reject,
    "set": _set,
}
"""Statements whose values nft writes as words."""


def _expression(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_expression, value))
    if not isinstance(value, Mapping):
        return str(value)
    ((kind, body),) = value.items()
    text = canonical(value)
    match kind:
        case "payload" if "field" in body:
            text = f"{body['protocol']} {body['field']}"
        case "meta" | "ct" if set(body) == {"key"}:
            text = f"{kind} {body['key']}"
        case "prefix":
            text = f"{body['addr']}/{body['len']}"
        case "set" if isinstance(body, list):
            text = f"{{ {', '.join(map(_expression, body))} }}"
        case "concat":
            text = " . ".join(map(_expression, body))
        case "&" | "|" | "^":
            text = f" {kind} ".join(map(_expression, body))
    return text
