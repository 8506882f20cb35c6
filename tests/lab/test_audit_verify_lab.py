"""After a run the witness and both sites know the audit log; what is done to it afterwards is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_command import shopsphere
from moving_pair import PAIR, PRIMARY, RECOVERY

from runbooks.engine.audit import read_chain
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.witness import Witness

pytestmark = [pytest.mark.full, pytest.mark.requirement("audit verify finds truncation, deletion and edits")]


@pytest.fixture
def log() -> Iterator[Path]:
    """The lab's audit log, which is put back as it was."""
    path = records_directory(Environment.LAB) / "audit.jsonl"
    before = path.read_bytes()
    yield path
    path.write_bytes(before)


def _verify() -> int:
    return shopsphere("audit", "verify", PAIR, check=False, seconds=60).code


def _witnessed(witness: Witness) -> int:
    return max((each.count for each in witness.audit.heads().known), default=0)


def _ends_with_a_run_of_the_pair(log: Path, witness: Witness) -> bool:
    lines = log.read_bytes().splitlines() if log.exists() else []
    return len(lines) >= 4 and b'"event":"end"' in lines[-1] and _witnessed(witness) == len(lines)


@pytest.fixture(scope="module")
def known(witness: Witness) -> int:
    """Number of records, once both sites know of the last one; a drill writes them where no test before has moved."""
    log = records_directory(Environment.LAB) / "audit.jsonl"
    if not _ends_with_a_run_of_the_pair(log, witness):
        shopsphere("drill", PAIR, "--execute", "--reason", "test", seconds=900)
    count = read_chain(log).count
    assert _witnessed(witness) == count

    def both_know() -> bool:
        done = shopsphere("audit", "verify", PAIR, "--json", check=False, seconds=60)
        found = {each["subject"]: each["found"] for each in json.loads(done.stdout)["findings"]}
        return all(
            found.get(f"the agent of {site}", "").endswith(f"up to record {count}") for site in (PRIMARY, RECOVERY)
        )

    wait_until(both_know, what="both sites to know the log", seconds=180, interval=2)
    return count


def test_a_log_after_a_run_is_intact(known: int) -> None:
    assert known >= 4
    assert _verify() == ExitCode.GOOD


def test_what_is_done_to_it_is_found(log: Path, known: int) -> None:
    lines = log.read_bytes().splitlines(keepends=True)
    assert len(lines) == known
    log.write_bytes(b"".join(lines[:-1]))
    assert _verify() == ExitCode.FAILED, "the last record was cut off"
    log.write_bytes(b"".join([*lines[:-1], lines[-1].replace(b'"event":"end"', b'"event":"stop"')]))
    assert _verify() == ExitCode.FAILED, "the last record was changed"
    log.unlink()
    assert _verify() == ExitCode.FAILED, "the log is gone"
    assert "P11" in shopsphere("ready", PAIR, check=False, seconds=60).stdout.splitlines()[-1]
