"""Compares a ledger with what was counted: nothing that was acknowledged is missing, and nothing is counted twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stream_bounds import Bounds, bounds_of
from stream_counts import Ask, Look, Window, await_sessions, categories, counts, looks
from stream_ledger import Fate, Ledger

KINDS = ("view", "list", "search", "add", "remove", "checkout", "buy")
FALLEN_OUT = ("unknown", "format", "json", "shape", "event", "clock", "missing", "cut")
"""What nothing of this bench may come to."""
SHOWN = 5
"""Problems of one sort that are shown one by one."""


@dataclass
class Verdict:
    """What was found.

    Attributes:
        rows: of the table: what, least, counted, most.
        lost: events that were acknowledged and are not counted: the largest sum of any way to add them up.
        doubled: events that are counted and were not sent, the same way.
        looks_lost: looks of sessions that are missing, or too old.
        looks_wrong: looks of sessions that nobody can have had.
        strangers: sessions in the database that are none of this load.
        fallen_out: what came to an outcome that nothing may come to.
        problems: of everything, for a reader.
        facts: numbers that are told and not judged.
    """

    rows: list[tuple[str, int, int, int]] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    looks_lost: int = 0
    looks_wrong: int = 0
    strangers: int = 0
    fallen_out: int = 0
    problems: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        return not self.problems


def judge(bounds: Bounds, before: Mapping[str, int], after: Mapping[str, int], seen: Iterable[Look]) -> Verdict:
    """Return what is wrong.

    Args:
        bounds: of the ledger.
        before: what was counted when the load began.
        after: what is counted now, in the same minutes.
        seen: looks of these minutes.
    """
    found = Verdict()
    _judge_looks(found, bounds, seen)
    counted = Counter(dict(after))
    counted.subtract(before)
    _judge_numbers(found, bounds, counted)
    for outcome in FALLEN_OUT:
        for unit in ("records", "batches", "events"):
            if number := counted[f"balance/{outcome}/{unit}"]:
                found.fallen_out += 1
                found.problems.append(f"{number} {unit} came to {outcome}, and nothing may")
    if bounds.gaps:
        found.problems.append(f"{len(bounds.gaps)} tab(s) skipped a number or had one twice, as {bounds.gaps[0]}")
    found.facts = {
        "duplicates": counted["balance/duplicate/batches"],
        "tries_again": bounds.again,
        "late_events": counted["balance/late/events"],
        "batches": {str(fate): bounds.batches[fate] for fate in Fate},
        "events": {str(fate): bounds.events[fate] for fate in Fate},
        "compared": len(bounds.most),
        "looks_compared": len(bounds.looks),
    }
    return found


def _judge_numbers(found: Verdict, bounds: Bounds, counted: Mapping[str, int]) -> None:
    names = sorted({*bounds.most, *(name for name in counted if not name.startswith("balance/"))})
    sums: dict[str, Counter[str]] = {"lost": Counter(), "doubled": Counter()}
    said: Counter[tuple[str, str]] = Counter()
    for name in names:
        least, now, most = bounds.least[name], counted.get(name, 0), bounds.most[name]
        group = name.partition("/")[0] if name != "balance/counted/batches" else "batches"
        if least <= now <= most:
            continue
        what = "lost" if now < least else "doubled"
        sums[what][group] += least - now if now < least else now - most
        said[group, what] += 1
        if said[group, what] <= SHOWN:
            found.problems.append(f"{name}: {now} counted, expected {_range(least, most)}: {_why(what, found)}")
    for sort, times in said.items():
        if times > SHOWN:
            found.problems.append(f"{'/'.join(sort)}: {times - SHOWN} more")
    found.lost, found.doubled = (
        max((number for group, number in sums[what].items() if group != "batches"), default=0) for what in sums
    )
    shown = [*(f"kind/{kind}" for kind in KINDS), "balance/counted/batches", "balance/counted/events"]
    found.rows = [(name, bounds.least[name], counted.get(name, 0), bounds.most[name]) for name in shown]


def _why(what: str, found: Verdict) -> str:
    if what == "lost":
        return "acknowledged and lost"
    if found.strangers:
        return f"twice, or of others: {found.strangers} sessions are of somebody else"
    return "counted twice, or somebody else clicked"


def _range(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def _judge_looks(found: Verdict, bounds: Bounds, seen: Iterable[Look]) -> None:
    there: dict[tuple[int, str], int] = {}
    strangers = set()
    for look in seen:
        if look.session in bounds.sessions:
            there[look.session, look.product] = look.at
        else:
            strangers.add(look.session)
    found.strangers = len(strangers)
    wrong = [key for key in there if key not in bounds.looks]
    lost: list[tuple[int, str]] = []
    for key, limits in bounds.looks.items():
        at = there.get(key, -1)
        if limits.least >= 0 and at < limits.least // 1000:
            lost.append(key)
        elif at > limits.most // 1000:
            wrong.append(key)
    found.looks_lost, found.looks_wrong = len(lost), len(wrong)
    for keys, what in ((lost, "acknowledged, and missing or too old"), (wrong, "nobody looked, or not so late")):
        for session, product in keys[:SHOWN]:
            found.problems.append(f"look of session {session} at {product}: {what}")
        if len(keys) > SHOWN:
            found.problems.append(f"looks, {what}: {len(keys) - SHOWN} more")


def check(ledger: Ledger, ask: Ask, *, seconds: float = 120) -> Verdict:
    """Wait until the worker has come to the marks at the ledger's end, or so long, and judge."""
    bounds = bounds_of(ledger.entries(), categories(ask))
    unseen = await_sessions(ask, bounds.marks, seconds=seconds)
    window = Window.of(ledger.begin["began"], ledger.end["ended"])
    found = judge(bounds, ledger.begin["counts"], counts(ask, window), looks(ask, window))
    expected = ledger.begin["partitions"]
    if unseen:
        found.problems.append(
            f"{len(unseen)} of {len(bounds.marks)} marks of the end were not counted in {seconds:.0f} s"
        )
    if len(bounds.marks) < expected:
        found.problems.append(
            f"{len(bounds.marks)} of {expected} marks of the end were acknowledged: "
            "nobody knows whether the worker has caught up"
        )
    return found


def table(found: Verdict) -> str:
    """Return what was compared, for a terminal or a page."""
    lines = ["| | acknowledged | counted | at most | |", "|---|---:|---:|---:|---|"]
    for name, least, now, most in found.rows:
        word = "lost" if now < least else "too many" if now > most else "exact" if least == most else "between"
        lines.append(f"| {name.removeprefix('kind/')} | {least} | {now} | {most} | {word} |")
    lines += [
        f"| numbers by kind, shelf and product | | {found.facts['compared']} | | |",
        f"| looks of sessions | | {found.facts['looks_compared']} | "
        f"| {found.looks_lost} lost, {found.looks_wrong} wrong |",
        f"| copies that were not counted (batches) | | {found.facts['duplicates']} | | |",
        f"| sessions of others | | {found.strangers} | | |",
    ]
    return "\n".join([*lines, *(f"WRONG: {each}" for each in found.problems)])
