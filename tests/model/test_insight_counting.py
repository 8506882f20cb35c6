"""What becomes of records: batches once, in the minute of their events, and everything else counted by its reason."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from insight_world import CATALOGUE, T0, MemoryLog, MemorySink, click, envelope, value_of

from app.clicks import events, packing
from app.clicks.senders import Sender
from app.insight import reading
from app.insight.counting import CLOCK_MS, DAY_MS, LATE_MS, MINUTE_MS, Extent, Partition, Sums, merged, placed
from app.insight.rows import Rows, rows_of, session_of

pytestmark = pytest.mark.requirement("poison and late events are counted, never lost in silence")

TAB, OTHER = "00000000000000aa", "00000000000000bb"
MINUTE = T0 // MINUTE_MS
GOOD = envelope(TAB, 0, [click()])


def counted(*values: bytes, time: int = T0, version: bytes | None = b"1") -> Rows:
    """Return the rows of some records of one partition."""
    log = MemoryLog(1)
    for value in values:
        log.append(0, value, time, version)
    return rows_of(sums_of(log), CATALOGUE)


def sums_of(log: MemoryLog, start: int = 0) -> Sums:
    partition = Partition(placed(Extent(0, 0, len(log.records[0])), start, 0, 0))
    for record in log.records[0]:
        partition.take(record)
    return merged({0: partition})[1]


def outcomes(rows: Rows) -> dict[str, int]:
    """Return the balance without its days."""
    return {f"{outcome} {unit}": number for (_, outcome, unit), number in sorted(rows.balance.items())}


def test_what_the_collector_writes_is_read_whole() -> None:
    kinds: list[dict[str, Any]] = [
        click("view"), click("list", k="lamps", n=2), click("search", s="brass lamp", n=7), click("add"),
        click("remove"), click("checkout", n=3), click("buy", n=1),
    ]  # fmt: skip
    rows = counted(value_of(envelope(TAB, 0, kinds, given_up=4), envelope(OTHER, 9, kinds, sender=Sender.CRAWLER)))
    assert outcomes(rows) == {
        "counted batches": 2, "counted events": 14, "counted records": 1, "given_up events": 4,
    }  # fmt: skip
    of_persons = {(kind, category) for minute, kind, category, sender in rows.minutes if sender == "person"}
    assert of_persons == {
        ("view", "t-shirts"), ("list", "lamps"), ("search", ""), ("add", "t-shirts"), ("remove", "t-shirts"),
        ("checkout", ""), ("buy", ""),
    }  # fmt: skip
    assert rows.minutes[MINUTE, "view", "t-shirts", "crawler"] == 1
    assert rows.products == {(MINUTE, 1, "view"): 1, (MINUTE, 1, "add"): 1, (MINUTE, 1, "remove"): 1}
    assert rows.looks == {(session_of(TAB, T0 // DAY_MS), 1): T0 // 1000}, "a crawler is no session"


def test_the_words_are_those_of_the_collector() -> None:
    kinds = {each.__struct_config__.tag for each in (
        events.View, events.Listed, events.Search, events.Add, events.Remove, events.Checkout, events.Buy
    )}  # fmt: skip
    assert set(reading.Kind.__args__) == kinds  # type: ignore[attr-defined]  # of a Literal
    assert set(reading.Sender.__args__) == set(Sender)  # type: ignore[attr-defined]
    assert reading.FORMAT == packing.FORMAT


POISON: list[tuple[str, bytes, dict[str, int]]] = [
    ("nothing", b"", {"json records": 1}),
    ("bytes", b"\x00\xff\xfe", {"json records": 1}),
    ("an object", b"{}", {"json records": 1}),
    ("a null", b"null", {"json records": 1}),
    ("half an array", value_of(GOOD)[:-2], {"json records": 1}),
    ("deep", b"[" * 100_000, {"json records": 1}),
    ("no batch beside one", value_of(b'{"tab":1}', GOOD, b"7"),
     {"shape batches": 2, "counted batches": 1, "counted events": 1, "counted records": 1}),
    ("a stranger's tab", value_of(GOOD.replace(TAB.encode(), b"x" * 16)), {"shape batches": 1}),
    ("an event of tomorrow's shop", value_of(GOOD.replace(b'"view"', b'"wish"')),
     {"event events": 1, "counted batches": 1, "counted events": 0, "counted records": 1}),
    ("a name of 65 letters", value_of(GOOD.replace(b"moon-tee", b"m" * 65)),
     {"event events": 1, "counted batches": 1, "counted events": 0, "counted records": 1}),
    ("too many events", value_of(GOOD.replace(b'"e":[', b'"e":[' + b'{"t":"buy","at":1},' * 32)),
     {"shape batches": 1}),
    ("a field that nobody knows", value_of(GOOD.replace(b'"b":0', b'"b":0,"new":[1]')),
     {"counted batches": 1, "counted events": 1, "counted records": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), [each[1:] for each in POISON], ids=[each[0] for each in POISON])
def test_poison_is_counted_by_its_reason_and_costs_its_neighbours_nothing(
    value: bytes, expected: dict[str, int]
) -> None:
    after = value_of(envelope(OTHER, 0, [click("list", k="lamps")]))
    found = outcomes(counted(value, after))
    for what in ("counted batches", "counted events", "counted records"):
        expected = {**expected, what: expected.get(what, 0) + 1}
    assert found == expected


def test_records_without_batches_and_of_other_versions_are_told_apart() -> None:
    assert outcomes(counted(b"[]")) == {"probe records": 1}
    assert outcomes(counted(value_of(GOOD), version=b"2")) == {"format records": 1}
    assert outcomes(counted(value_of(GOOD), version=None)) == {"format records": 1}
    for never in (-1, 2**42, 2**62):
        assert outcomes(counted(value_of(GOOD), time=never)) == {"format records": 1}, (
            "the log does not say when it was"
        )


def test_a_late_event_counts_in_its_minute_and_is_said_to_be_late() -> None:
    late = envelope(TAB, 0, [click(age=LATE_MS), click(age=LATE_MS + 1), click(age=DAY_MS)])
    rows = counted(value_of(late))
    assert outcomes(rows)["late events"] == 2
    assert sorted(rows.minutes.items()) == [
        ((MINUTE - 1440, "view", "t-shirts", "person"), 1),
        ((MINUTE - 2, "view", "t-shirts", "person"), 1),
        ((MINUTE - 1, "view", "t-shirts", "person"), 1),
    ]
    assert sorted(rows.looks.values()) == [T0 // 1000 - 86_400, T0 // 1000 - 60], "two days, two sessions"


def test_a_clock_that_is_wrong_moves_nothing_into_another_time() -> None:
    for wrong in (T0 + CLOCK_MS + 1, T0 - CLOCK_MS - 1, 0, 2**53 - 1):
        moved = GOOD.replace(f'"received":{T0}'.encode(), f'"received":{wrong}'.encode())
        assert outcomes(counted(value_of(moved))) == {
            "clock batches": 1, "clock events": 1, "counted records": 1,
        }  # fmt: skip
    early = GOOD.replace(f'"at":{T0}'.encode(), f'"at":{T0 + 1}'.encode())
    old = GOOD.replace(f'"at":{T0}'.encode(), f'"at":{T0 - DAY_MS - 1}'.encode())
    for impossible in (early, old):
        assert outcomes(counted(value_of(impossible)))["event events"] == 1
        assert counted(value_of(impossible)).minutes == {}


def test_names_that_the_catalogue_lacks_are_in_no_row() -> None:
    strange = [click("view", p="x-1", k="t-shirts"), click("list", k="x-2"), click("search", s="x"), click("buy")]
    rows = counted(value_of(envelope(TAB, 0, strange)))
    assert outcomes(rows)["unknown events"] == 2
    assert {category for _, _, category, _ in rows.minutes} == {""}
    assert (rows.products, rows.looks) == ({}, {})


def test_a_batch_counts_once_and_so_does_its_copy_of_another_content() -> None:
    copy = envelope(TAB, 0, [click(), click()])
    rows = counted(value_of(GOOD, copy), value_of(copy, envelope(TAB, 1, [click("buy")])))
    assert outcomes(rows) == {
        "counted batches": 2, "counted events": 2, "counted records": 2, "duplicate batches": 2,
        "duplicate events": 4,
    }  # fmt: skip


@given(st.binary(max_size=300))
def test_no_bytes_stop_a_partition(value: bytes) -> None:
    rows = counted(value, value_of(GOOD))
    assert rows.minutes[MINUTE, "view", "t-shirts", "person"] >= 1


@given(st.data())
def test_damage_in_one_place_is_counted_and_never_raised(data: st.DataObject) -> None:
    good = value_of(GOOD, envelope(OTHER, 0, [click("search", s="lamp")]))
    place = data.draw(st.integers(0, len(good) - 1))
    value = good[:place] + bytes([data.draw(st.integers(0, 255))]) + good[place + 1 :]
    found = outcomes(counted(value))
    assert found.get("json records", 0) or found["counted records"] or found["shape batches"]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.integers(1, 4))
def test_sums_do_not_depend_on_the_parts_that_they_are_written_in(sizes: list[int], every: int) -> None:
    log = MemoryLog(1)
    for number, size in enumerate(sizes):
        log.append(0, value_of(envelope(TAB, number, [click(age=q * 40_000) for q in range(size)])), T0 + number)
    sink, partition = MemorySink(), Partition(placed(Extent(0, 0, 0), 0, 0, 0))
    sink.placed([Extent(0, 0, 0)])
    for number, record in enumerate(log.records[0], 1):
        partition.take(record)
        if number % every == 0 or number == len(sizes):
            steps, sums = merged({0: partition})
            sink.put(steps, rows_of(sums, CATALOGUE))
            partition.was_written(steps[0])
            assert not partition.is_waiting
    whole = counted(*(record.value for record in log.records[0]))
    assert (sink.minutes, sink.looks, sink.balance) == (whole.minutes, whole.looks, whole.balance)


def test_records_that_the_log_gave_up_and_those_that_it_cut_are_said() -> None:
    def opened(next_: int, low: int, high: int) -> tuple[int, int, dict[str, int]]:
        partition = Partition(placed(Extent(0, low, high), next_, 0, 20_000))
        steps, sums = merged({0: partition})
        return partition.reads, steps[0].next if steps else next_, outcomes(rows_of(sums, CATALOGUE))

    assert opened(5, 0, 9) == (0, 5, {}), "marks come from before it"
    assert opened(5, 5, 5) == (5, 5, {})
    assert opened(5, 8, 9) == (8, 8, {"missing records": 3})
    assert opened(5, 0, 3) == (0, 3, {"cut records": 2})


def test_nothing_personal_is_in_a_row() -> None:
    tab = "89abcdef01234567"
    value = value_of(envelope(tab, 0, [click("search", s="ada lovelace"), click("view")]))
    rows = counted(value)
    kept = msgspec.json.encode([str(each) for each in (rows.minutes, rows.products, rows.looks, rows.balance)])
    assert b"ada" not in kept
    assert tab.encode() not in kept
    assert str(int(tab, 16)).encode() not in kept
    assert session_of(TAB, 1) != session_of(TAB, 2), "another one each day"
    assert all(0 <= session_of(f"{tab:016x}", 1) < 2**63 for tab in range(1000))
