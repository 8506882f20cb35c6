"""What an operator asks of `put-in-place`, and what others say of databases that it keeps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ready_pair import HOME, ReadyPair
from typer.testing import CliRunner

from cli.main import app
from runbooks.engine import load_runbook
from runbooks.putting_in_place.instance import note_in, quoted
from runbooks.putting_in_place.losses import losses
from runbooks.putting_in_place.run import FOLDER, ReplacementRequest, require_one, steps_of
from runbooks.readiness import p10_headroom
from shopsphere.clients.cluster_errors import UnreadableAnswerError
from shopsphere.clients.postgres_capacity import Volume, share_used, volumes
from shopsphere.estate.databases import COMMERCE
from shopsphere.estate.kept_databases import KeptDatabase, before_name, restored_name
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import UsageError

pytestmark = pytest.mark.requirement("a restored database takes the place of the live one by its name alone")

AT = datetime(2026, 11, 30, 5, 30, tzinfo=UTC)
KEPT = "commerce_before_20261130t053000z"


def test_names_say_what_a_database_is() -> None:
    assert before_name("commerce", AT) == KEPT
    assert restored_name("ledger", AT) == "ledger_restored_20261130t053000z"
    assert KeptDatabase.of(KEPT) == KeptDatabase(KEPT, "commerce", "before", AT)
    for other in ("commerce", "commerce_before_2026", f"{KEPT}x", "commerce_before_20261330t053000z", ""):
        assert KeptDatabase.of(other) is None
    assert len(restored_name("commerce", AT)) < 63, "PostgreSQL cuts longer ones"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({}, "0 of them"),
        ({"undo": KEPT, "drop": KEPT}, "2 of them"),
        ({"folder": Path("/x"), "drop": KEPT}, "2 of them"),
        ({"drop": "commerce"}, "no database that was kept of commerce"),
        ({"undo": "ledger_before_20261130t053000z"}, "no database that was kept of commerce"),
        ({"drop": f'{KEPT}"; DROP DATABASE commerce; --'}, "no database that was kept of commerce"),
    ],
)
def test_what_asks_for_nothing_or_for_too_much_is_refused(words: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        require_one(ReplacementRequest("rdc-a", Environment.LAB, COMMERCE, **words))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--database", "orders", "--drop", KEPT), "no such database"),
        (("--database", "commerce"), "which database is meant is not clear"),
        (("--database", "commerce", "--drop", KEPT, "--execute"), "say why"),
    ],
)
def test_the_command_refuses_before_it_asks_anybody(words: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(app, ["put-in-place", "rdc-a", *words])
    assert done.exit_code != 0
    assert said in str(done.exception)


def test_the_steps_of_each_way() -> None:
    numbers = {each: [step.number for step in steps_of().select(each)] for each in ("replace", "undo", "drop")}
    assert numbers == {"replace": list(range(1, 12)), "undo": [1, 6, 7, 8, 9, 10, 11], "drop": [1, 12]}
    assert load_runbook(FOLDER, variants=frozenset(numbers)).name == "put_in_place"


def test_text_of_others_stays_text() -> None:
    assert quoted("O'Brien") == "'O''Brien'"
    assert note_in("default administrative connection database") == {}
    assert note_in('["a"]') == {}
    assert note_in('{"stage": "loaded"}') == {"stage": "loaded"}


def test_volumes_are_read_or_not_known() -> None:
    table = "   Used  Avail\n    40     60\n    80     20\n"
    assert volumes(table) == [Volume(40, 60), Volume(80, 20)]
    assert share_used(table) == 0.8
    for bad in ("", "Used Avail\n", "Used Avail\n x y\n", "Used Avail\n 0 0\n", "Used Avail\n 1 2 3\n"):
        with pytest.raises(UnreadableAnswerError):
            volumes(bad)


def test_readiness_says_that_a_database_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ready = ReadyPair(monkeypatch, tmp_path)
    assert "commerce_before" not in p10_headroom.ask(ready.view()).found
    ready.sites[HOME].capacity["commerce"]["kept"] = [KEPT]
    found = p10_headroom.ask(ready.view())
    assert found.passed
    assert f"{KEPT} was commerce until 2026-11-30 05:30:00 UTC" in found.found
    assert "put-in-place rdc-a --database commerce --drop" in found.found


class Asked:
    """In place of a database: answers by what a question holds."""

    def __init__(self, tables: dict[str, int], **answers: Any) -> None:
        self.tables, self.answers = tables, answers

    def __call__(self, question: str) -> Any:
        if "to_regclass" in question:
            return question.partition("to_regclass('")[2].partition("')")[0] in self.tables
        if "pg_class" in question:
            return list(self.tables)
        if question.startswith("SELECT json_build_object('rows'"):
            return {"rows": self.tables[question.rpartition("FROM ")[2]]}
        return next(answer for word, answer in self.answers.items() if word in question)


def test_losses_are_told_also_where_the_live_database_cannot_tell_them() -> None:
    whole = {'orders."order"': 3, "customers.customer": 2, "customers.erasure": 0}
    then = Asked(whole, number={"S-1": "paid"})
    now = Asked(
        {'orders."order"': 5, "customers.customer": 4, "customers.erasure": 1},
        placed_at={"count": 2, "newest": "2026-11-30 05:40:00+00", "numbers": ["S-9 (paid)", "S-8 (declined)"]},
        created_at=2,
        erased_at=1,
    )
    now_moved = replace_moved(now, {"S-1": "dispatched", "S-2": "paid"})
    told = "\n".join(losses(COMMERCE, now_moved, then, "2026-11-30 05:30:00+00:00"))
    assert 'orders."order": 5 rows now, 3 rows then' in told
    assert "2 orders placed after that time are lost, the newest of 2026-11-30 05:40:00+00" in told
    assert "1 orders go back; do not make or send them twice\n  S-1 from dispatched to paid" in told
    assert "2 accounts made after that time are lost" in told
    assert "1 persons were erased after that time" in told
    gone = "\n".join(losses(COMMERCE, Asked({}), then, "2026-11-30 05:30:00+00:00"))
    assert "not known how many orders placed after that time are lost" in gone
    assert 'orders."order": no such table now, 3 rows then' in gone


def replace_moved(asked: Asked, moved: dict[str, str]) -> Asked:
    return Asked(asked.tables, changed_at=moved, **asked.answers)
