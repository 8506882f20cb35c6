"""Whether a log that was changed, cut, replaced or removed is told from one that was not, by what others keep."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runbooks.agent.audit_heads import KeptHeads, heads_told, read_heads
from runbooks.agent.description import with_heads
from runbooks.audit_check import Told, as_document, judge, look_at, verdict
from runbooks.engine.audit import append, read_chain
from shopsphere.foundation.finding import Finding
from shopsphere.witness.heads import AuditHead, Heads

AT = datetime(2027, 3, 1, 4, 5, tzinfo=UTC)
NOBODY: tuple[AuditHead, ...] = ()
pytestmark = pytest.mark.requirement("the audit log's truncation, deletion and edits are found by what others keep")


class Desk:
    """An operator's machine with a log of six records, and the heads that others were told of."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "audit.jsonl"
        self.heads = tuple(self.add(f"move {number}") for number in range(6))

    def add(self, event: str, path: Path | None = None, host: str = "") -> AuditHead:
        file = path or self.log
        mark = append(file, {"event": event})
        place = f"{host or socket.gethostname()}:{file}"
        return AuditHead(log=mark.log, count=mark.count, head=mark.head, place=place, at=AT + timedelta(mark.count))

    @property
    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()

    def write(self, lines: list[str]) -> None:
        self.log.write_text("".join(f"{line}\n" for line in lines))

    def verify(self, *kept: AuditHead) -> dict[str, Finding]:
        told = [
            Told("the witness of rdc-a", Heads(kept[-1:])),
            Told("the agent of dublin", Heads(kept)),
        ]
        return {each.subject: each for each in judge(look_at(self.log), told)}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def outcome(found: dict[str, Finding]) -> str:
    return verdict(list(found.values()))


def test_an_untouched_log_is_intact(desk: Desk) -> None:
    found = desk.verify(*desk.heads[1::2])
    assert outcome(found) == "intact"
    assert found["the agent of dublin"].found == "it agrees up to record 6"
    assert "6 records, an unbroken chain" in found[f"the log here ({desk.log})"].found


def test_what_only_this_machine_knows_is_said(desk: Desk) -> None:
    found = desk.verify(*desk.heads[:4])
    assert outcome(found) == "intact"
    assert found["the agent of dublin"].found == "it agrees up to record 4; 2 records after it, not known there"


def cut(desk: Desk) -> None:
    desk.write(desk.lines[:4])


def cut_all(desk: Desk) -> None:
    desk.write([])


def delete(desk: Desk) -> None:
    desk.log.unlink()


def edit(desk: Desk) -> None:
    lines = desk.lines
    desk.write([*lines[:2], lines[2].replace("move 2", "nothing"), *lines[3:]])


def edit_last(desk: Desk) -> None:
    lines = desk.lines
    desk.write([*lines[:5], lines[5].replace("move 5", "nothing")])


def replace_tail(desk: Desk) -> None:
    desk.write(desk.lines[:3])
    for _ in range(4):
        desk.add("nothing")


def reorder(desk: Desk) -> None:
    lines = desk.lines
    desk.write([*lines[:3], lines[4], lines[3], lines[5]])


def begin_anew(desk: Desk) -> None:
    desk.log.unlink()
    for _ in range(9):
        desk.add("nothing")


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (cut, "records were cut off: it knows 6, as of 2027-03-07 04:05 UTC; here are 4"),
        (cut_all, "it is gone: the agent of dublin knows that it had 6 records on 2027-03-07 04:05 UTC"),
        (delete, "it is gone: the agent of dublin knows that it had 6 records on 2027-03-07 04:05 UTC"),
        (edit, "the chain is broken at record 4"),
        (edit_last, "records up to 6 are not those that it knows"),
        (replace_tail, "records up to 6 are not those that it knows"),
        (reorder, "the chain is broken at record 4"),
        (begin_anew, "another log was in this place"),
    ],
)
def test_what_was_done_to_a_log_is_found(desk: Desk, tamper: Callable[[Desk], None], said: str) -> None:
    tamper(desk)
    found = desk.verify(*desk.heads[1::2])
    assert outcome(found) == "broken"
    assert any(said in each.found and each.verdict == "fail" for each in found.values()), found


def test_a_tail_that_was_replaced_and_told_anew_is_found_by_what_a_site_has_seen_before(desk: Desk) -> None:
    replace_tail(desk)
    chain = read_chain(desk.log)
    again = AuditHead(log=chain.log, count=7, head=chain.head, place=desk.heads[0].place, at=AT)
    found = desk.verify(desk.heads[5], again)
    assert found["the witness of rdc-a"].passed, "the operator may write there"
    assert not found["the agent of dublin"].passed


def test_a_log_that_never_was_is_no_deleted_one(tmp_path: Path) -> None:
    told = [Told("the witness of rdc-a"), Told("the agent of dublin")]
    found = judge(look_at(tmp_path / "audit.jsonl"), told)
    assert verdict(found) == "intact"
    assert found[0].found == "there is none, and nobody who answered knows of one"


def test_the_log_of_another_machine_is_named_and_not_called_broken(desk: Desk, tmp_path: Path) -> None:
    other = [desk.add("move", tmp_path / "other.jsonl", host="ops-2") for _ in range(3)]
    found = desk.verify(*desk.heads, other[0], other[2])
    assert outcome(found) == "intact"
    (subject,) = [each for each in found if each.startswith("log ")]
    assert subject == f"log {other[0].log[:8]} of ops-2:{tmp_path}/other.jsonl"
    assert found[subject].found.startswith("3 records as of 2027-03-04 04:05 UTC; its file is not here")


def test_two_stories_about_a_log_of_another_machine_are_broken(desk: Desk, tmp_path: Path) -> None:
    other = desk.add("move", tmp_path / "other.jsonl", host="ops-2")
    found = desk.verify(*desk.heads, other, other.model_copy(update={"head": "0" * 64}))
    assert outcome(found) == "broken"


def test_what_does_not_answer_is_unknown_and_what_is_broken_outweighs_it(desk: Desk) -> None:
    silent = Told("the agent of frankfurt", problem="it does not answer")
    agrees = Told("the agent of dublin", Heads(desk.heads))
    assert verdict(judge(look_at(desk.log), [agrees, silent])) == "unknown"
    cut(desk)
    assert verdict(judge(look_at(desk.log), [agrees, silent])) == "broken"
    assert as_document(judge(look_at(desk.log), [silent]))["verdict"] == "unknown"


def test_what_cannot_be_read_is_unknown(desk: Desk) -> None:
    told = Told("the witness of rdc-a", Heads(desk.heads, ("/shopsphere/rdc-a/audit/x: 5 problems",)))
    assert verdict(judge(look_at(desk.log), [told])) == "unknown"


# What a site keeps


class Shelf:
    """The witness's keys."""

    def __init__(self) -> None:
        self.heads: tuple[AuditHead, ...] = NOBODY

    def __call__(self) -> Heads:
        return Heads(self.heads)


def test_a_site_keeps_every_head_that_it_has_seen_over_a_restart(desk: Desk, tmp_path: Path) -> None:
    file, shelf = tmp_path / "site" / "heads.jsonl", Shelf()
    kept = KeptHeads(file, shelf)
    for each in (*desk.heads[:3], desk.heads[2]):
        shelf.heads = (each,)
        kept.keep_heads()
    shelf.heads = (desk.heads[2].model_copy(update={"head": "f" * 64}),)
    kept.keep_heads()
    again = KeptHeads(file, shelf)
    again.keep_heads()
    told = heads_told({"audit": again.told()})
    assert [each.count for each in told.known] == [1, 2, 3, 3]
    assert told.unreadable == ()
    assert read_heads(file).known == told.known
    assert not [each for each in judge(look_at(desk.log), [Told("a", told)]) if each.subject == "a" and each.passed]


def test_a_head_that_goes_back_is_kept_beside_the_newer_one(desk: Desk, tmp_path: Path) -> None:
    shelf = Shelf()
    kept = KeptHeads(tmp_path / "heads.jsonl", shelf)
    for each in (desk.heads[5], desk.heads[1]):
        shelf.heads = (each,)
        kept.keep_heads()
    assert [each.count for each in heads_told({"audit": kept.told()}).known] == [6, 2]


def test_a_full_file_forgets_nothing_and_says_so(desk: Desk, tmp_path: Path) -> None:
    file, shelf = tmp_path / "heads.jsonl", Shelf()
    kept = KeptHeads(file, shelf, most=700)
    for each in desk.heads:
        shelf.heads = (each,)
        kept.keep_heads()
    assert file.stat().st_size <= 700
    told = heads_told({"audit": kept.told()})
    assert [each.count for each in told.known] == [1, 2]
    assert told.unreadable == ("its file is full, and it keeps no new ones",)


def test_a_flood_of_logs_pushes_none_out(desk: Desk, tmp_path: Path) -> None:
    shelf = Shelf()
    kept = KeptHeads(tmp_path / "heads.jsonl", shelf)
    shelf.heads = desk.heads
    kept.keep_heads()
    shelf.heads = tuple(desk.heads[0].model_copy(update={"log": f"{number:032x}"}) for number in range(100))
    kept.keep_heads()
    told = heads_told({"audit": kept.told()})
    assert len({each.log for each in told.known}) == 32
    assert [each.count for each in told.known if each.log == desk.heads[0].log] == [1, 2, 3, 4, 5, 6]
    assert "full" in told.unreadable[0]


def test_an_agent_tells_the_newest_heads_of_each_log(desk: Desk, tmp_path: Path) -> None:
    shelf = Shelf()
    kept = KeptHeads(tmp_path / "heads.jsonl", shelf)
    shelf.heads = (*desk.heads, *(desk.add("move") for _ in range(6)))
    kept.keep_heads()
    state = json.loads(json.dumps(with_heads(lambda: {"site": "dublin"}, kept)()))
    assert state["site"] == "dublin"
    assert [each["count"] for each in state["audit"]["heads"]] == [5, 6, 7, 8, 9, 10, 11, 12]


def test_lines_that_cannot_be_read_are_said_and_start_no_fault(desk: Desk, tmp_path: Path) -> None:
    file, shelf = tmp_path / "heads.jsonl", Shelf()
    file.write_text(f"no json\n{desk.heads[0].model_dump_json()}\n{{}}\ntorn")
    kept = KeptHeads(file, shelf)
    assert kept.told()["problem"] == "2 lines of its file cannot be read"
    assert len(read_heads(file).known) == 1
    shelf.heads = (desk.heads[1],)
    kept.keep_heads()
    assert [each.count for each in read_heads(file).known] == [1, 2]


def test_a_file_that_cannot_be_read_keeps_no_agent_from_its_start(tmp_path: Path) -> None:
    kept = KeptHeads(tmp_path, Shelf())
    assert kept.told() == {"heads": [], "problem": "its file cannot be read: Is a directory"}


def test_the_first_head_makes_the_folder(desk: Desk, tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.heads = desk.heads[:1]
    KeptHeads(tmp_path / "a" / "b" / "heads.jsonl", shelf).keep_heads()
    assert (tmp_path / "a" / "b" / "heads.jsonl").exists()


def test_a_log_that_this_user_may_not_read_is_unknown(desk: Desk) -> None:
    desk.log.unlink()
    desk.log.mkdir()
    found = desk.verify(*desk.heads)
    assert outcome(found) == "unknown"
    assert found["the agent of dublin"].found == "not compared: the log here cannot be read"


@pytest.mark.parametrize("state", [{}, {"audit": None}, {"audit": {}}, {"audit": {"heads": 7}}, [], None])
def test_an_agent_that_says_nothing_of_heads_is_unknown(state: Any) -> None:
    told = heads_told(state)
    assert told.known == ()
    assert "earlier version" in told.unreadable[0]
    assert heads_told({"audit": {"heads": [{"log": 1}], "problem": ""}}).unreadable != ()
