"""The checker of bench/clickstream finds what is lost and what is counted twice, and takes nothing else for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from clickstream_world import CATEGORY_OF, TAKEN, MemorySite, counted, looks_in, played
from stream_bounds import bounds_of
from stream_check import Verdict, check, judge, table
from stream_connections import Answer
from stream_counts import Ask, Look, NotStillError, Window, await_sessions, await_stillness, counts, looks, places
from stream_ledger import Entry, Fate, Ledger, begin_line, end_line, fate_of

from app.insight.rows import Rows

pytestmark = pytest.mark.requirement("the checker of clicks finds a loss and a double count, whatever is planted")


@pytest.fixture(scope="module")
def load() -> tuple[MemorySite, list[Entry]]:
    """A load of which all was acknowledged."""
    site = MemorySite()
    entries, _ = asyncio.run(played(site))
    return site, entries


def judged(entries: Sequence[Entry], rows: Rows, *, before: dict[str, int] | None = None) -> Verdict:
    after = counted(rows)
    for name, number in (before or {}).items():
        after[name] = after.get(name, 0) + number
    return judge(bounds_of(entries, CATEGORY_OF), before or {}, after, looks_in(rows))


@pytest.mark.parametrize(
    ("answers", "fate"),
    [
        ({"204": 1}, Fate.ACKNOWLEDGED),
        ({"503": 4, "lost": 1, "204": 1}, Fate.ACKNOWLEDGED),
        ({"503": 1}, Fate.UNKNOWN),
        ({"lost": 1, "400": 1}, Fate.UNKNOWN),
        ({"502": 1}, Fate.UNKNOWN),
        ({"400": 1, "unsent": 3}, Fate.REFUSED),
        ({"unsent": 1}, Fate.REFUSED),
    ],
)
def test_what_answers_say_together(answers: dict[str, int], fate: Fate) -> None:
    assert fate_of(answers) is fate


def test_what_is_counted_once_is_exact(load: tuple[MemorySite, list[Entry]]) -> None:
    site, entries = load
    before = {"kind/view": 7, "product/lamp/view": 3, "shelf/lamps/view": 7, "balance/counted/events": 90}
    found = judged(entries, site.rows(), before=before)
    assert found.problems == []
    assert all(least == now == most for _, least, now, most in found.rows)
    assert sum(now for name, _, now, _ in found.rows if name.startswith("kind/")) == 200 + 2
    assert (found.lost, found.doubled, found.strangers) == (0, 0, 0)
    assert "exact" in table(found)
    assert "WRONG" not in table(found)


def test_each_record_that_is_lost_is_found(load: tuple[MemorySite, list[Entry]]) -> None:
    site, entries = load
    for part, records in enumerate(site.log.records):
        for place in range(0, len(records), 7):
            events = json.loads(records[place].value)[0]["e"]
            kept = site.log.records[part]
            site.log.records[part] = [
                replace(each, offset=n) for n, each in enumerate([*kept[:place], *kept[place + 1 :]])
            ]
            found = judged(entries, site.rows())
            site.log.records[part] = kept
            assert (found.lost, found.doubled) == (len(events), 0)
            looked = {(each["t"], each["p"]) for each in events if each["t"] in {"view", "add"}}
            assert found.looks_lost > 0 or not looked
            assert any("acknowledged and lost" in each for each in found.problems)


def test_each_batch_that_is_counted_twice_is_found(load: tuple[MemorySite, list[Entry]]) -> None:
    """The same rows are added once more, as by a worker that forgot its marks."""
    site, entries = load
    for body in site.bodies[::9]:
        alone = MemorySite()
        alone.write(json.dumps(body).encode())
        rows, again = site.rows(), alone.rows()
        rows.minutes.update(again.minutes)
        rows.products.update(again.products)
        rows.balance.update(again.balance)
        found = judged(entries, rows)
        assert (found.lost, found.doubled) == (0, len(body["e"]))
        assert any("counted twice" in each for each in found.problems)


def test_a_loss_that_a_double_hides_in_the_sums_is_found_by_products_or_looks(
    load: tuple[MemorySite, list[Entry]],
) -> None:
    site, entries = load
    first, *others = {name for each in entries for kind, name, _ in each.events if kind == "view"}
    rows, shift = site.rows(), {first: -1, others[0]: 1}
    after = counted(rows)
    for product, more in shift.items():
        after[f"product/{product}/view"] += more
    found = judge(bounds_of(entries, CATEGORY_OF), {}, after, looks_in(rows))
    assert (found.lost, found.doubled) == (1, 1)
    assert found.rows[0][1:] == (found.rows[0][1],) * 3, "views in all are as many as they should be"


def test_what_nobody_knows_may_be_counted_once_or_not_at_all_and_never_twice() -> None:
    def rule(body: dict[str, Any], _times: int) -> Answer | None:
        return None if int(body["tab"], 16) % 3 == 0 else TAKEN

    for writes in (False, True):
        site = MemorySite(rule, writes=writes)
        entries, _ = asyncio.run(played(site, patience=0.3, run=f"unknown-{writes}"))
        assert {each.fate for each in entries} == {Fate.ACKNOWLEDGED, Fate.UNKNOWN}
        found = judged(entries, site.rows())
        assert found.problems == []
        assert any(least < most for _, least, _, most in found.rows)
    unknown = next(each for each in entries if each.fate is Fate.UNKNOWN)
    rows = site.rows()
    for _ in range(100):
        rows.minutes[0, unknown.events[0][0], "", "person"] += 1  # type: ignore[index]
    assert judged(entries, rows).doubled > 0


def test_what_was_refused_may_not_be_counted() -> None:
    site = MemorySite(lambda body, _times: Answer(400, 0) if int(body["tab"], 16) % 3 == 0 else TAKEN)
    entries, _ = asyncio.run(played(site, run="refused"))
    assert Fate.REFUSED in {each.fate for each in entries}
    assert judged(entries, site.rows()).problems == []
    site.writes = True
    site.bodies, written = [], site.bodies
    for body in written:
        if int(body["tab"], 16) % 3 == 0:
            site.write(json.dumps(body).encode())
    assert judged(entries, site.rows()).doubled > 0


def test_copies_in_the_log_are_told_and_are_no_problem() -> None:
    site = MemorySite(lambda _body, times: None if times == 1 else TAKEN, writes=True)
    entries, _ = asyncio.run(played(site, rate=60, partitions=1, run="copies"))
    found = judged(entries, site.rows())
    assert found.problems == []
    assert found.facts["duplicates"] == found.facts["tries_again"] == len(entries)


def test_others_who_click_are_seen_and_are_not_called_a_double_count_alone(
    load: tuple[MemorySite, list[Entry]],
) -> None:
    site, entries = load
    theirs = [each for each in entries if each.tab == entries[0].tab]
    found = judged([each for each in entries if each not in theirs], site.rows())
    assert found.strangers == (1 if any(event[0] in {"view", "add"} for each in theirs for event in each.events) else 0)
    assert found.doubled == sum(len(each.events) for each in theirs)


def test_what_falls_out_is_a_problem_and_so_is_a_gap_in_the_numbers(load: tuple[MemorySite, list[Entry]]) -> None:
    site, entries = load
    rows = site.rows()
    after = {**counted(rows), "balance/missing/records": 3, "balance/unknown/events": 1, "balance/duplicate/batches": 9}
    found = judge(bounds_of(entries, CATEGORY_OF), {"balance/unknown/events": 1}, after, looks_in(rows))
    assert found.problems == ["3 records came to missing, and nothing may"]
    skipped = [replace(each, number=each.number + 1) if each is entries[0] else each for each in entries]
    assert "1 tab(s) skipped a number" in judged(skipped, rows).problems[0]


def test_a_look_that_is_too_old_was_lost_and_one_that_is_too_new_is_wrong(load: tuple[MemorySite, list[Entry]]) -> None:
    site, entries = load
    rows = site.rows()
    bounds, seen = bounds_of(entries, CATEGORY_OF), list(looks_in(rows))
    old = [replace(seen[0], at=seen[0].at - 9), *seen[1:]]
    new = [replace(seen[0], at=seen[0].at + 9), *seen[1:]]
    more = [*seen, Look(seen[0].session, "nobody-looked", seen[0].at)]
    for given, expected in ((old, (1, 0)), (new, (0, 1)), (more, (0, 1)), (seen[1:], (1, 0))):
        found = judge(bounds, {}, counted(rows), given)
        assert (found.looks_lost, found.looks_wrong) == expected
        assert len(found.problems) == 1


# --- the database's words ------------------------------------------------------------------------------------------
class Answering:
    """A database that gives the next of its answers to each statement that has a word."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = answers

    def __call__(self, statement: str) -> list[str]:
        word = next(each for each in self.answers if each in statement)
        own = self.answers[word]
        return own.pop(0) if len(own) > 1 else own[0]


def test_lines_become_numbers() -> None:
    ask = Answering(minute_count=[["kind/view|3", "shelf//search|1", "balance/counted/events|4"]])
    assert counts(ask, Window(60, 120)) == {"kind/view": 3, "shelf//search": 1, "balance/counted/events": 4}
    assert list(looks(Answering(session_look=[["7|lamp|61"]]), Window(60, 120))) == [Look(7, "lamp", 61)]
    assert Window.of(119_999, 180_000) == Window(60, 240)


def test_a_load_begins_when_nothing_more_comes() -> None:
    still = Answering(source_offset=[["5|2|6"], ["9|0|6"], ["9|0|6"]])
    assert await_stillness(still, rest=lambda _: None) == places(still)
    never = Answering(source_offset=[["5|1|6"]])
    with pytest.raises(NotStillError, match="1 behind"):
        await_stillness(never, seconds=0, rest=lambda _: None)


def test_sessions_that_do_not_come_are_told() -> None:
    assert await_sessions(Answering(session_look=[["7"]]), {7, 8}, seconds=0) == {8}
    assert await_sessions(Answering(session_look=[["7"]]), set(), seconds=0) == set()


def test_marks_that_nobody_counted_leave_nothing_known(load: tuple[MemorySite, list[Entry]], tmp_path: Path) -> None:
    site, entries = load
    rows = site.rows()
    lines = {
        "SELECT slug, category": ["|".join(each) for each in CATEGORY_OF.items()],
        "SELECT DISTINCT session": [],
        "SELECT session, slug": [f"{each.session}|{each.product}|{each.at}" for each in looks_in(rows)],
        "concat_ws": [f"{name}|{number}" for name, number in counted(rows).items()],
    }

    def ask(statement: str) -> list[str]:
        return next(found for word, found in lines.items() if word in statement)

    def checked(own: Sequence[Entry], asked: Ask = ask) -> list[str]:
        began, ended = min(each.sent for each in own), max(each.answered for each in own)
        file = tmp_path / "ledger"
        begin = begin_line(run="a", began=began, partitions=2, counts={})
        file.write_text("\n".join([begin, *(each.line() for each in own), end_line(ended=ended)]))
        return check(Ledger.read(file), asked, seconds=0).problems

    assert checked(entries) == ["2 of 2 marks of the end were not counted in 0 s"]
    lines["SELECT DISTINCT session"] = [str(each) for each in bounds_of(entries, CATEGORY_OF).marks]
    assert checked(entries) == []
    unmarked = [replace(each, part="") for each in entries]
    assert "nobody knows whether the worker has caught up" in checked(unmarked)[0]
