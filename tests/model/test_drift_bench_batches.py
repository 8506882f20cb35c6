"""The bench of drifts by somebody else leaves nothing behind: its journal, its batches, its results."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shopsphere.foundation.paths import REPOSITORY

sys.path.append(str(REPOSITORY / "bench" / "drift"))
import batches as drift_batches
from acts import Act, Answer
from batches import StillThereError, World, carry_out
from drift_bench_world import GROUND, finding
from findings import Look
from grouping import batches
from injected_databases import databases
from injected_edge import edge
from injected_hosts import hosts
from injected_objects import objects
from injected_workloads import workloads
from injections import Injection, Prepared
from pulumi_words import Said
from result_lines import Lines, read
from undo_journal import ABOUT, INJECTED, Entry, JournalError, UndoJournal, recover

Document = dict[str, Any]
EVERY = [*workloads(GROUND), *objects(GROUND), *databases(GROUND), *edge(GROUND), *hosts(GROUND)]


class Script:
    """Hands that note what they were given, and refuse what they are told to refuse."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.done: list[str] = []

    def do(self, act: Act) -> Answer:
        text = " ".join(act.words)
        self.done.append(text)
        return Answer(done=not any(each in text for each in self.refused), said=f"no {text}")


def entry(name: str, state: str = ABOUT) -> Entry:
    return Entry(name, "frankfurt", (Act("kubectl", (f"undo-{name}",), "frankfurt"),), state)


def test_a_journal_outlives_its_process_and_goes_with_the_last_entry(tmp_path: Path) -> None:
    file = tmp_path / "journal.json"
    journal = UndoJournal(file)
    journal.about_to([entry("a"), entry("b")])
    assert file.stat().st_mode & 0o777 == 0o600
    journal.note("a", INJECTED)
    again = UndoJournal.left(file)
    assert [(each.key, each.state) for each in again.open_entries] == [("b", ABOUT), ("a", INJECTED)]
    with pytest.raises(JournalError, match="2 injections"):
        again.about_to([entry("c")])
    hands = Script()
    recover(again, hands, lambda _place: False, lambda _text: None)
    assert hands.done == ["undo-b", "undo-a"]
    assert not file.exists()
    assert UndoJournal.left(file).open_entries == []


def test_what_cannot_be_taken_back_counts_only_while_drift_sees_it(tmp_path: Path) -> None:
    file = tmp_path / "journal.json"
    UndoJournal(file).about_to([entry("a"), entry("b")])
    with pytest.raises(JournalError, match="a: no undo-a"):
        recover(UndoJournal.left(file), Script("undo-a"), lambda _place: False, lambda _text: None)
    assert [each.key for each in UndoJournal.left(file).open_entries] == ["a"]
    recover(UndoJournal.left(file), Script("undo-a"), lambda place: place == "frankfurt", lambda _text: None)
    assert not file.exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 1}', '{"version": 2, "entries": []}', '{"version": 1, "entries": [1]}']
)
def test_a_journal_that_cannot_be_read_is_an_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "journal.json"
    file.write_text(text)
    with pytest.raises(JournalError, match="by hand"):
        UndoJournal.left(file)
    assert file.exists()


def injected(name: str, **differing: Any) -> Injection:
    facts: dict[str, Any] = {
        "kind": "kind", "place": "frankfurt", "object": f"Deployment shop/{name}", "field": "f", "how": "kubectl",
        "family": "cluster", "author": "mallory",
        "prepare": lambda _: Prepared(
            (Act("kubectl", (f"do-{name}",)),),
            (Act("kubectl", (f"undo-{name}",)),),
            (Act("kubectl", (f"tidy-{name}",)),),
        ),
    }  # fmt: skip
    return Injection(**{**facts, **differing})


def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hands: Script, looks: list[Look], said: Said | None = None
) -> tuple[World, list[Document]]:
    monkeypatch.setattr(drift_batches, "_PAUSE", 0.0)
    results: list[Document] = []
    remaining = iter(looks)
    ask: Callable[[str, str], Said] | None = (lambda _place, _command: said) if said else None
    journal = UndoJournal(tmp_path / "journal.json")
    return World(
        hands, lambda _target: next(remaining), ask, journal, frozenset(), results.append, lambda _: None
    ), results


def seen(*found: Document) -> Look:
    return Look(7 if found else 0, tuple(found))


def of(name: str, repair: str = "kubectl fix", **differing: str) -> Document:
    return finding(object=f"Deployment shop/{name}", field="f", at="2999-01-01T00:00:00Z", repair=repair, **differing)


def test_a_batch_is_made_judged_taken_back_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Script("do-refused")
    looks = [seen(of("a"), of("b", "shopsphere up frankfurt"), of("c", "kubectl break")), seen()]
    stage, results = world(tmp_path, monkeypatch, hands, looks, Said("found", frozenset({"Deployment shop/a"})))
    carry_out(stage, [injected("a"), injected("b"), injected("missed"), injected("refused")])
    assert {each["object"].partition("/")[2]: each["outcome"] for each in results} == {
        "a": "found", "b": "found", "missed": "missed", "refused": "could not",
    }  # fmt: skip
    assert hands.done == [
        "do-a", "do-b", "do-missed", "do-refused", "undo-missed", "undo-b", "kubectl fix",
        "tidy-a", "tidy-b", "tidy-missed",
    ]  # fmt: skip
    first, second = results[0], results[1]
    assert first["undone_by"] == "repair"
    assert second["undone_by"] == "what was saved"
    assert first["pulumi"] == {"refresh": "found", "preview": "found"}
    assert second["pulumi"] == {"refresh": "said clean", "preview": "said clean"}
    assert first["clean_after"]
    assert first["strangers"] == ["frankfurt Deployment shop/c f"]
    assert not (tmp_path / "journal.json").exists()


def test_what_a_repair_leaves_is_taken_back_by_what_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hands = Script()
    leftover = finding(object="Cluster data-ledger/x", field="annotation", repair="kubectl sweep")
    stage, results = world(tmp_path, monkeypatch, hands, [seen(of("a")), seen(of("a"), leftover), seen()])
    carry_out(stage, [injected("a")])
    assert hands.done == ["do-a", "kubectl fix", "undo-a", "kubectl sweep", "tidy-a"]
    assert results[0]["undone_by"] == "repair, then what was saved"
    assert results[0]["undo_problem"] == "the repair left f"
    assert results[0]["left"] == ["frankfurt Cluster data-ledger/x annotation"]
    assert results[0]["pulumi"] == {"refresh": "not asked", "preview": "not asked"}


def test_a_default_that_its_putter_back_now_owns_goes_with_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = Script()
    stage, results = world(tmp_path, monkeypatch, hands, [seen(of("a")), seen(of("a")), seen(of("a")), seen()])
    carry_out(stage, [injected("a")])
    assert hands.done == ["do-a", "kubectl fix", "undo-a", "tidy-a"]
    assert results[0]["undo_problem"] == "the repair left f; clean only after the record of owners was put back"
    assert not (tmp_path / "journal.json").exists()


def test_what_stays_stops_the_bench_and_stays_in_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_batches, "CLEAN_SECONDS", 0.0)
    stage, results = world(
        tmp_path, monkeypatch, Script("undo-a"), [seen(of("a", "look")), seen(of("a")), seen(of("a"))]
    )
    with pytest.raises(StillThereError, match="Deployment shop/a"):
        carry_out(stage, [injected("a")])
    assert [each.state for each in UndoJournal.left(tmp_path / "journal.json").open_entries] == [INJECTED]
    assert results[0]["clean_after"] is False


def test_what_a_controller_took_back_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = injected("a", prepare=lambda _: Prepared((Act("kubectl", ("do",)),), (Act("kubectl", ("undo",)),),
                                                    is_there=lambda _hands: False))  # fmt: skip
    stage, results = world(tmp_path, monkeypatch, Script(), [seen(), seen()])
    carry_out(stage, [gone])
    assert results[0]["outcome"] == "taken back"


def test_batches_hold_different_objects_of_one_place_and_family() -> None:
    same, other = injected("a", field="g"), injected("b")
    far = injected("c", place="edge", family="edge")
    found = batches([injected("a"), same, other, far, injected("d"), injected("e")], 3)
    names = [[f"{each.object[-1]}{each.field}" for each in batch] for batch in found]
    assert names == [["af", "bf", "df"], ["ag", "ef"], ["cf"]]
    ns1, ns2 = (injected("", object=f"x. A at {name}") for name in ("ns1", "ns2"))  # one resource of the stack
    assert [len(batch) for batch in batches([ns1, ns2], 3)] == [1, 1]
    sizes = [len(batch) for batch in batches(EVERY, 6)]
    assert sum(sizes) == len(EVERY)
    assert max(sizes) == 6
    one, two, three = injected("a"), injected("b"), injected("c")
    assert batches([one, two, three], 3, {one.key}) == [[one], [two, three]]
    assert batches([one, two, three], 3, {two.key, three.key}) == [[one], [two], [three]]


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    first = Lines.open(file, "rdc-a")
    first.write({"key": "a", "outcome": "missed"})
    first.write({"key": "a", "outcome": "found"})
    Lines(file, "rdc-b", "another", "c").write({"key": "b", "outcome": "found"})
    with file.open("a") as sink:
        sink.write('{"run": "half')
    again = Lines.open(file, "rdc-a", resume=True)
    assert (again.run, again.done_keys()) == (first.run, {"a"})
    assert [each["outcome"] for each in again.of_run()] == ["found"]
    assert len(read(file)) == 3
    first.write({"key": "a", "outcome": "found", "pulumi": {"refresh": "found", "preview": "could not"}})
    first.write({"key": "b", "outcome": "found", "pulumi": {"refresh": "said clean", "preview": "could not"}})
    assert (again.done_keys(), again.overwriting()) == (set(), {"a"}), "Pulumi is asked again"
    first.write({"key": "a", "outcome": "partly found", "pulumi": {"refresh": "found", "preview": "found"}})
    first.write({"key": "b", "outcome": "found", "pulumi": {"refresh": "said clean", "preview": "said clean"}})
    assert again.done_keys() == {"b"}
