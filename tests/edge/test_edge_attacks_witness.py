"""Attempts of bench/attacks at three real voters, made from where their hosts let operators in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from witness_voters import ADDRESSES, Voters

from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord
from shopsphere.witness.keys import make_keys
from shopsphere.witness.users import OPERATOR, ROOT

sys.path.append(str(REPOSITORY / "bench" / "attacks"))
import door_witness
import knocking
from attacked import Scene
from attempt import DESK, Attempt
from refusing import Verdict, judge


@pytest.fixture
def attempts(voters: Voters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Attempt]:
    """Those from operators' addresses; of the pair's witness these voters and keys, of the other one keys alone."""
    topology = load_topology()
    other = tmp_path / "other"
    make_keys(other, "rdc-b", dict.fromkeys(ADDRESSES, ADDRESSES), (ROOT, OPERATOR))
    monkeypatch.setattr(door_witness, "client_urls", lambda *_: voters.urls)
    monkeypatch.setattr(door_witness, "witness_keys_folder", {"rdc-a": voters.keys, "rdc-b": other}.__getitem__)
    monkeypatch.setattr(door_witness, "_among_voters", lambda *_: iter(()))
    scene = Scene(topology.pair("rdc-a"), topology.pair("rdc-b"), topology, "abc")
    return [each for each in door_witness.attempts(scene) if each.place == DESK]


@pytest.mark.requirement("attempts at the witness are refused, and nothing is changed")
def test_each_is_refused_by_the_voters_themselves(attempts: list[Attempt], before: PairRecord) -> None:
    assert len(attempts) >= 7
    found = {}
    for tried in attempts:
        control = tried.control
        answers = [knocking.answer(each) for each in tried.questions]
        controls = [knocking.answer(each) for each in control.questions] if control else None
        found[tried.what] = judge(tried, answers, controls, [])
    assert {what: each for what, each in found.items() if each.verdict is not Verdict.REFUSED} == {}
    assert before.epoch >= 1
