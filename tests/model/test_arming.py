"""The policy pack is proved to be armed before each run: every rule refuses a program that breaks all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from policy_cases.declared import Declared
from policy_cases.judging import RULES

from policies.judging import judge
from shopsphere.deploy import arming
from shopsphere.deploy.arming import PackNotArmedError, require_armed_pack, require_refusals, rules_of_checkout
from shopsphere.deploy.canary.refused import CALLED, PROJECT, REFUSED, STACK
from shopsphere.deploy.environment import common_variables
from shopsphere.foundation.process import Result

NAMES = frozenset(f"{rule.id}-{rule.name}" for rule in RULES.values())
SOME = frozenset({"RES-001-a", "RES-002-b", "LIM-003-c"})


def summary(*, passed: tuple[str, ...] = (), failed: tuple[str, ...] = (), stack: bool = False) -> dict[str, Any]:
    """What the engine reports as evaluated."""
    kind = "policyAnalyzeStackSummaryEvent" if stack else "policyAnalyzeSummaryEvent"
    return {kind: {"policyPackName": "shopsphere", "passed": list(passed), "failed": list(failed)}}


def refusal(rule: str, level: str = "mandatory") -> dict[str, Any]:
    """A verdict as the engine reports it."""
    return {"policyEvent": {"policyName": rule, "enforcementLevel": level}}


ARMED = [
    {"sequence": 1, "timestamp": 1},
    summary(passed=("RES-001-a",), failed=("RES-002-b",)),
    summary(failed=("RES-001-a",)),
    summary(failed=("LIM-003-c",), stack=True),
    *map(refusal, sorted(SOME)),
]


def test_the_rules_of_the_checkout_are_those_of_the_pack() -> None:
    assert rules_of_checkout() == NAMES


@pytest.mark.parametrize("rule_id", RULES)
def test_every_rule_refuses_the_canary(rule_id: str) -> None:
    declared = [
        Declared(token, props, CALLED.get(token, "canary"), STACK, None).resource() for token, props in REFUSED.items()
    ]
    assert judge([RULES[rule_id]], declared), "it needs a declaration in shopsphere/deploy/canary/refused.py"


def test_a_pack_whose_every_rule_refuses_is_armed() -> None:
    require_refusals(ARMED, SOME)


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([], "not evaluated: LIM-003-c, RES-001-a, RES-002-b; not refusing: LIM-003-c, RES-001-a, RES-002-b"),
        ([each for each in ARMED if "policyAnalyzeStackSummaryEvent" not in each], "not evaluated: LIM-003-c"),
        (ARMED[:-1], "not refusing: RES-002-b"),
        ([*ARMED[:-1], refusal("RES-002-b", "advisory")], "not refusing: RES-002-b"),
        ([*ARMED, summary(passed=("RES-009-x",))], "of no file: RES-009-x"),
        ([*ARMED, refusal("other")], "of no file: other"),
    ],
    ids=["nothing", "no stack rules", "one approves", "one advises", "one more evaluated", "one more refuses"],
)
def test_any_other_pack_is_not(events: list[Mapping[str, Any]], found: str) -> None:
    with pytest.raises(PackNotArmedError, match="nothing was changed") as error:
        require_refusals(events, SOME)
    assert f"found:    {found}\n" in str(error.value)


def played(monkeypatch: pytest.MonkeyPatch, events: list[dict[str, Any]] | None) -> list[tuple[list[str], Path]]:
    """Put something in the place of `pulumi` that writes these events; the commands that it is given are returned."""
    asked: list[tuple[list[str], Path]] = []

    def run(command: list[Any], *, cwd: Path, **_: Any) -> Result:
        words = [str(word) for word in command]
        asked.append((words, cwd))
        assert "virtualenv" in (cwd / "Pulumi.yaml").read_text()
        assert (cwd / "program" / "__main__.py").exists()
        if "preview" in words and events is not None:
            Path(words[words.index("--event-log") + 1]).write_text("".join(f"{json.dumps(each)}\n" for each in events))
        return Result(1, "", "error: it was refused")

    monkeypatch.setattr(arming, "run", run)
    monkeypatch.setattr(arming, "find_program", Path)
    return asked


def test_the_canary_is_previewed_with_the_pack_and_the_settings_of_every_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    names = sorted(NAMES)
    asked = played(monkeypatch, [summary(failed=tuple(names)), *map(refusal, names)])
    assert require_armed_pack() == len(NAMES)
    (_, place), (preview, _) = asked
    assert preview[preview.index("--policy-pack") + 1].endswith("/policies")
    assert preview[preview.index("--policy-pack-config") + 1].endswith("/policies/enforcement.json")
    assert common_variables()["PYTHONUNBUFFERED"] == "1", "the pack's port would stay in a buffer, and the run waits"
    assert not place.exists()
    assert PROJECT not in str(list(tmp_path.rglob("*")))


@pytest.mark.requirement("a run whose pack was not armed fails, and changes nothing")
def test_a_pack_that_lets_the_canary_pass_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    played(monkeypatch, [{"summaryEvent": {"PolicyPacks": {"shopsphere": "0.1.0"}}}])
    with pytest.raises(PackNotArmedError, match="not evaluated: EVT-001-topics-have-a-class"):
        require_armed_pack()


def test_an_engine_that_does_not_start_is_no_proof(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    played(monkeypatch, None)
    with pytest.raises(PackNotArmedError, match=r"could not be tried(?s:.*)it was refused"):
        require_armed_pack()
