"""The session that the lab's tests ask databases through: one psql for many questions, and a new one after a loss."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from database_session import Databases, DatabaseSession

from shopsphere.foundation.process import CommandError

# As psql does with ON_ERROR_STOP: answers each statement, echoes a mark, ends with code 3 at the first error.
PSQL = """
import os, sys, time
for line in sys.stdin:
    line = line.strip()
    if line.startswith("\\\\echo "):
        print(line.split()[1], flush=True)
    elif line == "select 1":
        print(1)
    elif line == "select pid":
        print(os.getpid())
    elif line == "hang":
        time.sleep(60)
    elif line == "wrong":
        sys.stderr.write("ERROR:  expected 0\\n")
        sys.exit(3)
    elif line == "last":
        print("done")
    elif line == "leave":
        os._exit(0)
"""


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[Databases]:
    program = tmp_path / "psql.py"
    program.write_text(PSQL)
    found = Databases(lambda _site, _database: DatabaseSession([sys.executable, "-u", str(program)]))
    yield found
    found.end()


def test_one_session_answers_many_questions(databases: Databases) -> None:
    first = databases.ask("dublin", "ledger", "select pid")
    assert first.isdigit()
    assert databases.ask("dublin", "ledger", "last") == "done"
    assert databases.ask("dublin", "ledger", "select pid") == first
    assert databases.ask("dublin", "commerce", "select pid") != first


def test_a_refusal_is_raised_with_its_words_and_the_next_question_is_answered(databases: Databases) -> None:
    first = databases.ask("dublin", "ledger", "select pid")
    with pytest.raises(CommandError, match="ERROR:  expected 0"):
        databases.ask("dublin", "ledger", "wrong")
    assert databases.ask("dublin", "ledger", "select pid") != first


def test_a_session_that_died_between_questions_is_opened_anew(databases: Databases) -> None:
    with pytest.raises(CommandError, match="it said nothing"):
        databases.ask("dublin", "ledger", "leave")
    assert databases.ask("dublin", "ledger", "last") == "done"


def test_one_that_hangs_is_given_up() -> None:
    session = DatabaseSession([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with pytest.raises(CommandError, match="no answer within 0 s"):
            session.ask("select 1", seconds=0.1)
    finally:
        session.end()
