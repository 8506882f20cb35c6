"""Judging of bench/attacks: what fails for another reason is no refusal, and what no log has is not seen."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shopsphere.foundation.paths import LAB_VARIABLE, REPOSITORY

sys.path.append(str(REPOSITORY / "bench" / "attacks"))
import unchanged as states
from attempt import CLIENT, CLOSED, DESK, DNS, HOST, POD, PORT, SILENT, STATUS, TLS, WORDS, Attempt, Control, attempt
from refusing import Verdict, exit_code, judge
from traces import logs, needles, new_text, seen_in, sizes

QUESTION = {"tcp": ["10.99.0.11", 6443], "send": ""}
CONTROL = Control(DESK, (QUESTION,), r"^http 200 ")
OK = {"kind": "http", "status": 200, "text": "there", "port": 1}
SEEN = ["frankfurt refused"]


def tried(*by: str, place: str = CLIENT, **more: Any) -> Attempt:
    return attempt("X", "try", place, [QUESTION], *by, **{"control": CONTROL, **more})


def answer(kind: str, status: int = 0, text: str = "", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "status": status, "text": text, "port": 40000, **more}


def verdict(tries: Attempt, found: dict[str, Any], control: Any = OK, seen: Any = SEEN) -> Verdict:
    return judge(tries, [found], [control] if control else None, seen).verdict


@pytest.mark.parametrize(
    ("by", "found", "expected"),
    [
        ((PORT,), answer("refused"), Verdict.REFUSED),
        ((TLS,), answer("tls"), Verdict.REFUSED),
        ((CLOSED,), answer("closed"), Verdict.REFUSED),
        ((CLOSED,), answer("reset"), Verdict.REFUSED),
        ((SILENT,), answer("silent"), Verdict.REFUSED),
        ((STATUS,), answer("http", 403), Verdict.REFUSED),
        # Of another kind than the attempt names: no proof.
        ((TLS,), answer("refused"), Verdict.UNPROVEN),
        ((PORT,), answer("tls"), Verdict.UNPROVEN),
        ((PORT, TLS, CLOSED), answer("silent"), Verdict.UNPROVEN),
        ((PORT, TLS, CLOSED, SILENT), answer("unreachable"), Verdict.UNPROVEN),
        ((PORT, TLS, CLOSED, SILENT), answer("error", text="FileNotFoundError"), Verdict.UNPROVEN),
        ((STATUS,), answer("http", 500), Verdict.UNPROVEN),
        ((STATUS,), answer("http", 503), Verdict.UNPROVEN),
        # What answers is in.
        ((PORT, TLS, CLOSED), answer("http", 200), Verdict.LET_IN),
        ((STATUS,), answer("http", 302), Verdict.LET_IN),
        ((PORT,), answer("bytes", text="S"), Verdict.LET_IN),
        ((PORT,), answer("bytes", text="connected, and nothing said"), Verdict.LET_IN),
        ((WORDS,), answer("bytes", text="R\0\0\0SCRAM-SHA-256"), Verdict.LET_IN),
        ((WORDS,), answer("run", 0, "deployment patched"), Verdict.LET_IN),
    ],
)
def test_each_kind_of_answer(by: tuple[str, ...], found: dict[str, Any], expected: Verdict) -> None:
    assert verdict(tried(*by, words="pg_hba"), found) is expected


def test_words_of_a_program_are_a_refusal_only_where_it_failed() -> None:
    refusing = tried(WORDS, words="denied|no pg_hba.conf entry")
    assert verdict(refusing, answer("bytes", text='EFATAL no pg_hba.conf entry for host "1"')) is Verdict.REFUSED
    assert verdict(refusing, answer("run", 1, "request denied")) is Verdict.REFUSED
    assert verdict(refusing, answer("run", 1, "no such file")) is Verdict.UNPROVEN
    assert verdict(refusing, answer("run", 0, "nothing denied")) is Verdict.LET_IN


def test_one_answer_of_many_decides() -> None:
    both = replace(tried(PORT), questions=(QUESTION, QUESTION))
    found = judge(both, [answer("refused"), answer("bytes", text="S")], [OK], SEEN)
    assert (found.verdict, found.why) == (Verdict.LET_IN, "bytes 0 S")
    assert judge(both, [answer("refused"), answer("silent")], [OK], SEEN).verdict is Verdict.UNPROVEN
    assert judge(both, [answer("refused")], [OK], SEEN).verdict is Verdict.UNPROVEN
    assert judge(both, [], [OK], SEEN).verdict is Verdict.UNPROVEN


def test_a_door_that_is_shut_to_everybody_proves_nothing() -> None:
    for control in (answer("silent"), answer("http", 503), None):
        assert verdict(tried(TLS), answer("tls"), control) is Verdict.UNPROVEN
    assert verdict(tried(TLS, control=None), answer("tls"), None) is Verdict.UNPROVEN
    assert verdict(tried(TLS, control=None, alone="nobody belongs there"), answer("tls"), None) is Verdict.REFUSED


def test_a_closed_port_needs_the_line_of_who_closed_it() -> None:
    for place in (CLIENT, POD, HOST, DESK):
        assert verdict(tried(PORT, place=place), answer("refused"), seen=[]) is Verdict.UNPROVEN


def test_strangers_have_to_be_seen_and_others_not() -> None:
    assert verdict(tried(STATUS), answer("http", 403), seen=[]) is Verdict.UNSEEN
    assert verdict(tried(STATUS, place=DESK), answer("http", 403), seen=[]) is Verdict.REFUSED


def test_what_gives_nothing_away_is_no_success_unless_it_names_more() -> None:
    listing = tried(STATUS, harmless="<Buckets></Buckets>", opens=("ledger-frankfurt",))
    assert verdict(listing, answer("http", 200, "<Buckets></Buckets>")) is Verdict.REFUSED
    assert verdict(listing, answer("http", 200, "<Name>ledger-frankfurt</Name>")) is Verdict.LET_IN
    assert verdict(listing, answer("http", 200, "<Name>another</Name>")) is Verdict.LET_IN


@pytest.mark.parametrize(
    ("found", "changes", "expected"),
    [
        ({"status": 5, "answers": 0}, False, Verdict.REFUSED),
        ({"status": 2, "answers": 0}, False, Verdict.UNPROVEN),
        ({"status": 0, "answers": 0}, False, Verdict.REFUSED),
        ({"status": 0, "answers": 40}, False, Verdict.LET_IN),
        ({"status": 0, "answers": 0}, True, Verdict.LET_IN),
    ],
)
def test_codes_of_dns(found: dict[str, int], changes: bool, expected: Verdict) -> None:
    asking = replace(tried(DNS, statuses=(1, 4, 5, 9)), questions=({"dns": [], "changes": changes},))
    assert verdict(asking, answer("dns", text="", **found)) is expected


def test_a_scan_finds_what_is_declared_and_no_more() -> None:
    scan = tried(ports=frozenset({80, 443}))
    for opened, silent, expected in (
        ([443], [], Verdict.REFUSED),
        ([], [], Verdict.REFUSED),
        ([443, 10250], [], Verdict.LET_IN),
        ([443], [22], Verdict.UNPROVEN),
    ):
        assert verdict(scan, answer("scan", open=opened, silent=silent, ports=[1])) is expected


def test_connections_that_are_held_have_a_bound() -> None:
    some: dict[str, Any] = {"opened": 900, "outcomes": ["silent"]}
    assert verdict(tried(most=64), answer("held", open=64, **some)) is Verdict.REFUSED
    assert verdict(tried(most=64), answer("held", open=65, **some)) is Verdict.LET_IN
    for outcome, expected in (("refused", Verdict.REFUSED), ("silent", Verdict.UNPROVEN)):
        assert verdict(tried(), answer("held", open=0, opened=0, outcomes=[outcome])) is expected


def test_the_code_is_zero_only_for_refused_seen_and_unchanged() -> None:
    assert exit_code([Verdict.REFUSED], []) == 0
    for each in (Verdict.LET_IN, Verdict.UNPROVEN, Verdict.UNSEEN):
        assert exit_code([Verdict.REFUSED, each], []) == 1
    assert exit_code([Verdict.REFUSED], ["the record became another"]) == 1
    assert exit_code([], []) == 1


def test_changes_are_found_and_growth_of_a_bucket_is_none() -> None:
    before = {"record": {"epoch": 1}, "bucket a": ["1/wal/0A", "1/wal/0B.partial"], "rows": "3|7"}
    assert states.changes(before, {**before, "bucket a": ["1/wal/0A", "1/wal/0B", "1/wal/0C.partial"]}) == []
    assert states.changes(before, {**before, "record": {"epoch": 2}}) == ['record: {"epoch": 1} became {"epoch": 2}']
    lost = {**before, "bucket a": ["1/wal/0B", "attack-1"]}
    assert states.changes(before, lost) == ["bucket a: 1/wal/0A is gone", "bucket a: attack-1 was put there"]


def test_what_cannot_be_read_is_not_unchanged() -> None:
    unknown = {"rows": f"{states.UNKNOWN}no answer"}
    assert states.changes(unknown, unknown) == ["rows: not known: no answer"]
    assert states.changes({"rows": "3"}, {}) == ["rows: not known: not read"]


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(LAB_VARIABLE, str(tmp_path))
    of_programs = [f"{host}/log/{log}.log" for host in ("frankfurt", "ashburn") for log in ("refused", "etcd")]
    for file in (*of_programs, "frankfurt/disk/var-log/pods/shop_gateway-1_u/haproxy/0.log"):
        (tmp_path / "hosts" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "hosts" / file).write_text("refused: SRC=10.99.80.10 DST=10.99.0.11 SPT=40000 DPT=6443\n")
    return tmp_path / "hosts"


def added(file: Path, line: str) -> None:
    with file.open("a") as text:
        text.write(f"{line}\n")


def names(files: list[Path]) -> set[str]:
    return {f"{each.relative_to(each.parents[2]).parts[0]} {each.stem}" for each in files}


def test_logs_of_the_attackers_own_host_do_not_count_but_its_refusals_do_for_a_pod(hosts: Path) -> None:
    assert not any("ashburn" in str(each) for each in logs("ashburn", is_pod=False))
    assert names([each for each in logs("ashburn", is_pod=True) if "pods" not in str(each)]) == {
        "frankfurt refused", "frankfurt etcd", "ashburn refused",
    }  # fmt: skip
    assert any("pods" in str(each) for each in logs("ashburn", is_pod=False))


def test_only_new_lines_of_this_very_packet_count(hosts: Path) -> None:
    before = sizes(logs("ashburn", is_pod=False))
    wanted = needles(tried(PORT), [answer("refused")], "10.99.80.10")
    assert seen_in(new_text(before), wanted) == []
    log = hosts / "frankfurt/log/refused.log"
    added(log, "refused: SRC=10.99.80.10 DST=10.99.0.11 SPT=40001 DPT=6443")
    added(log, "refused: SRC=10.99.80.101 DST=10.99.0.11 SPT=40000 DPT=6443")
    added(hosts / "frankfurt/log/etcd.log", "10.99.80.10 asked for something else")
    assert seen_in(new_text(before), wanted) == []
    added(log, "refused: SRC=10.99.80.10 DST=10.99.0.11 SPT=40000 DPT=6443")
    assert seen_in(new_text(before), wanted) == ["frankfurt refused"]


def test_a_program_names_the_address_or_the_attempts_own_text(hosts: Path) -> None:
    before = sizes(logs("", is_pod=False))
    pod = hosts / "frankfurt/disk/var-log/pods/shop_gateway-1_u/haproxy/0.log"
    by_address = needles(tried(STATUS), [answer("http", 403)], "10.99.80.10")
    by_text = needles(tried(STATUS, trace="attack-abc"), [answer("http", 403)], "10.99.0.1")
    added(pod, "refused from=110.99.80.10")
    added(pod, "10.99.0.1 asked for something")
    assert (seen_in(new_text(before), by_address), seen_in(new_text(before), by_text)) == ([], [])
    added(pod, "refused from=10.99.80.10:4711 for attack-abc")
    assert seen_in(new_text(before), by_address) == ["frankfurt shop"]
    assert seen_in(new_text(before), by_text) == ["frankfurt shop"]


def test_a_log_that_was_begun_anew_is_read_whole(hosts: Path) -> None:
    before = sizes(logs("ashburn", is_pod=False))
    (hosts / "frankfurt/log/refused.log").write_text("SRC=10.99.80.10 SPT=40000\n")
    wanted = needles(tried(PORT), [answer("refused")], "10.99.80.10")
    assert seen_in(new_text(before), wanted) == ["frankfurt refused"]
