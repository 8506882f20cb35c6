"""Every rule of the pack: good and bad cases, unknown values and resources that are none of its business."""

from __future__ import annotations

from pathlib import Path

import pytest
from policy_cases.declared import Declared
from policy_cases.judging import RULES, cases, verdict
from pulumi_policy import EnforcementLevel
from pulumi_policy.policy import _NotApplicableError

import policies
from policies import registry
from policies.registry import RULE_MODULE, RegistryError
from policies.rule import ResourceRule, Rule

CASE_FOLDER = Path(__file__).parent / "policy_cases"


def named(kind: str) -> pytest.MarkDecorator:
    pairs = [(rule.id, name) for rule in RULES.values() for name in getattr(cases(rule), kind)]
    return pytest.mark.parametrize(("rule_id", "name"), pairs)


@named("GOOD")
def test_good_case_passes(rule_id: str, name: str) -> None:
    assert verdict(RULES[rule_id], cases(RULES[rule_id]).GOOD[name]) == []


@named("BAD")
def test_bad_case_is_a_violation_that_says_what_and_why(rule_id: str, name: str) -> None:
    declared, *phrases = cases(RULES[rule_id]).BAD[name]
    messages = verdict(RULES[rule_id], declared)
    assert messages
    for phrase in phrases:
        assert any(phrase in message for message in messages), messages
    assert_complete(RULES[rule_id], messages, declared)


@named("UNKNOWN_CASES")
def test_unknown_value_is_a_violation_that_names_the_property(rule_id: str, name: str) -> None:
    declared, *phrases = cases(RULES[rule_id]).UNKNOWN_CASES[name]
    messages = verdict(RULES[rule_id], declared)
    assert messages
    for phrase in phrases:
        assert any(phrase in message for message in messages), messages
    assert_complete(RULES[rule_id], messages, declared)


@named("NOT_APPLICABLE")
def test_rule_stays_out_of_what_is_not_its_business(rule_id: str, name: str) -> None:
    rule, declared = RULES[rule_id], cases(RULES[rule_id]).NOT_APPLICABLE[name]
    if isinstance(rule, ResourceRule):
        with pytest.raises(_NotApplicableError) as caught:
            verdict(rule, declared)
        assert rule.id in str(caught.value.reason)
    else:
        assert verdict(rule, declared) == []


def assert_complete(rule: Rule, messages: list[str], declared: Declared | list[Declared]) -> None:
    """Each message names rule and resource, what was found, what is allowed, and what to do."""
    for message in messages:
        assert message.startswith(f"{rule.id} {rule.name}: ")
        if isinstance(declared, Declared):
            assert declared.urn in message
        parts = [line.strip().partition(":")[0] for line in message.splitlines()[1:]]
        assert parts == ["found", "allowed", "do"]
        assert all(line.partition(":")[2].strip() for line in message.splitlines()[1:])


@pytest.mark.parametrize("rule_id", RULES)
def test_each_rule_has_cases_of_every_kind(rule_id: str) -> None:
    module = cases(RULES[rule_id])
    for kind in ("GOOD", "BAD", "UNKNOWN_CASES", "NOT_APPLICABLE"):
        assert getattr(module, kind), f"{rule_id} has no {kind}"


def test_each_case_file_has_its_rule() -> None:
    files = {path.stem for path in CASE_FOLDER.glob("*.py") if RULE_MODULE.match(path.stem)}
    assert files == {f"{rule.id}_{rule.name}".lower().replace("-", "_") for rule in RULES.values()}


@pytest.mark.parametrize("rule_id", RULES)
def test_each_rule_blocks_and_explains_itself(rule_id: str) -> None:
    rule = RULES[rule_id]
    policy = rule.policy()
    assert policy.enforcement_level is EnforcementLevel.MANDATORY
    assert policy.name == f"{rule.id}-{rule.name}"
    assert policy.severity
    assert policy.description.endswith(".")
    assert policy.remediation_steps


def test_residency_rules_block_before_anything_is_created() -> None:
    assert all(isinstance(rule, ResourceRule) for rule in RULES.values() if rule.id.startswith("RES-"))


def rules_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **files: str) -> tuple[Rule, ...]:
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setattr(policies, "__path__", [str(tmp_path)])
    return registry.discover()


SAME = "from policies.residency.res_003_placement_in_jurisdiction import RULE"


def test_a_file_without_a_rule_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="no RULE"):
        rules_in(monkeypatch, tmp_path, res_901_nothing="")


def test_a_file_named_unlike_its_rule_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="RES-902 something-else"):
        rules_in(monkeypatch, tmp_path, res_902_something_else=SAME)


def test_a_pack_without_rules_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="approve everything"):
        rules_in(monkeypatch, tmp_path)
