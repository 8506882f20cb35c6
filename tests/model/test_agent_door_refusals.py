"""Who was refused at a site's door stands in its log: often enough to be seen, seldom enough to fill nothing."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from manual_clock import ManualClock
from open_door import STRANGER, OpenDoor, SaidSite

from runbooks.agent.door import refusals
from runbooks.agent.door.refusals import ADDRESSES, MOST_LINES, QUIET_SECONDS, Refusals


def test_an_address_has_a_line_a_minute_and_the_others_are_counted() -> None:
    lines: list[str] = []
    clock = ManualClock()
    seen = Refusals(lines.append, clock)
    for _ in range(5):
        seen.see("203.0.113.9", "404 asked for: /writes or /state")
    seen.see("203.0.113.8", "403 may not\nroot: all is well\x1b[2J")
    clock.sleep(QUIET_SECONDS)
    seen.see("203.0.113.9", "408 a request has 5 s")
    assert lines == [
        "refused 203.0.113.9: 404 asked for: /writes or /state",
        "refused 203.0.113.8: 403 may not\\nroot: all is well\\x1b[2J",
        "refused meanwhile: 4 more of 203.0.113.9",
        "refused 203.0.113.9: 408 a request has 5 s",
    ]


def test_what_was_counted_is_told_also_when_nobody_comes_any_more() -> None:
    lines: list[str] = []
    clock = ManualClock()
    seen = Refusals(lines.append, clock)
    for number in range(7):
        for _ in range(number + 2):
            seen.see(f"203.0.113.{number}", "404 no")
    clock.sleep(QUIET_SECONDS - 0.1)
    seen.look()
    assert len(lines) == 7
    clock.sleep(0.1)
    for _ in range(2):
        seen.look()
    named = "; ".join(f"{number + 1} more of 203.0.113.{number}" for number in range(5))
    assert lines[7:] == [f"refused meanwhile: {named}; 13 more of other addresses"]


def test_one_kind_of_refusal_hides_no_other() -> None:
    lines: list[str] = []
    clock = ManualClock()
    seen = Refusals(lines.append, clock)
    for number in range(1000):
        seen.see(f"address {number}", "404 asked for: /writes or /state")
    seen.see("203.0.113.9", "403 may not")
    assert lines[20:] == ["refused 203.0.113.9: 403 may not"]
    clock.sleep(QUIET_SECONDS)
    seen.look()
    assert lines[21:] == ["refused meanwhile: 980 of addresses without a line (404)"]


def test_many_kinds_have_a_bound_together() -> None:
    lines: list[str] = []
    clock = ManualClock()
    seen = Refusals(lines.append, clock)
    for number in range(1000):
        seen.see(f"address {number}", f"{number} it is")
    assert len(lines) == 8 + 20
    clock.sleep(QUIET_SECONDS)
    seen.look()
    assert lines[28:] == ["refused meanwhile: 972 of addresses without a line (other)"]


def test_of_many_addresses_the_longest_away_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    clock = ManualClock()
    seen = Refusals(lines.append, clock)
    monkeypatch.setattr(refusals, "MOST_LINES", 2 * ADDRESSES)
    for number in range(ADDRESSES):
        seen.see(f"address {number}", "404")
        seen.see("address 0", "404")
    seen.see("address 0", "404")
    for number in range(ADDRESSES, 2 * ADDRESSES - 1):
        seen.see(f"address {number}", "404")
    assert len(lines) == 2 * ADDRESSES - 1
    seen.see("address 1", "404")
    assert len(lines) == 2 * ADDRESSES
    clock.sleep(QUIET_SECONDS)
    seen.look()
    assert lines[-1] == f"refused meanwhile: {ADDRESSES + 1} more of other addresses"


def test_many_addresses_together_have_so_many_lines_a_minute() -> None:
    lines: list[str] = []
    clock = ManualClock()
    seen = Refusals(lines.append, clock)
    for number in range(10_000):
        seen.see(f"address {number}", "404")
    assert len(lines) == MOST_LINES
    clock.sleep(QUIET_SECONDS)
    seen.see("the next minute's", "404")
    seen.see("and another", "404")
    assert lines[MOST_LINES:] == [
        f"refused meanwhile: {10_000 - MOST_LINES} of addresses without a line (404)",
        "refused the next minute's: 404",
        "refused and another: 404",
    ]


@pytest.mark.requirement("each refusal is seen in a log")
def test_what_the_door_refuses_is_in_its_log(tmp_path: Path) -> None:
    lines: list[str] = []
    site = SaidSite(tmp_path)
    site.speaks()
    try:
        with (
            OpenDoor(site.folder, refusals=Refusals(lines.append, ManualClock())) as door,
            httpx.Client(transport=httpx.HTTPTransport(local_address=STRANGER), timeout=10) as client,
        ):
            assert client.get(f"{door.url}/writes").status_code == 503
            assert lines == []
            assert client.get(f"{door.url}/state").status_code == 403
    finally:
        site.publisher.stop()
    (line,) = lines
    assert line.startswith(f"refused {STRANGER}: 403")
