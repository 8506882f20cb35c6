"""What the engine gets: the same verdicts as without it, and nothing of its SDK inside the rules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from policy_cases.judging import RULES, CaseOf, cases, reported, told_to_the_engine, verdict
from pulumi_policy import EnforcementLevel, ResourceValidationPolicy, StackValidationPolicy, proxy
from pulumi_policy.policy import _NotApplicableError

from policies.pack import policy_of
from policies.rule import ResourceRule
from policies.unknown import UNKNOWN_VALUES, KnownMapping, NotKnownError
from shopsphere.foundation.paths import REPOSITORY

POLICIES = REPOSITORY / "policies"
SDK = "pulumi_policy"


def all_cases() -> Iterator[tuple[str, str, CaseOf]]:
    """Every case that is a rule's business: rule, name of the case, resources."""
    for rule in RULES.values():
        module = cases(rule)
        for name, declared in module.GOOD.items():
            yield rule.id, name, declared
        for name, (declared, *_) in {**module.BAD, **module.UNKNOWN_CASES}.items():
            yield rule.id, name, declared


@pytest.mark.parametrize("rule_id", RULES)
def test_the_engine_is_told_what_the_rule_finds(rule_id: str) -> None:
    judged = [(name, declared) for owner, name, declared in all_cases() if owner == rule_id]
    for name, declared in judged:
        assert told_to_the_engine(RULES[rule_id], declared) == verdict(RULES[rule_id], declared), name
    assert any(told_to_the_engine(RULES[rule_id], declared) for _, declared in judged)


@pytest.mark.parametrize("rule_id", [rule.id for rule in RULES.values() if isinstance(rule, ResourceRule)])
def test_the_engine_is_told_what_is_none_of_a_rule_s_business(rule_id: str) -> None:
    for declared in cases(RULES[rule_id]).NOT_APPLICABLE.values():
        with pytest.raises(_NotApplicableError) as caught:
            told_to_the_engine(RULES[rule_id], declared)
        assert rule_id in str(caught.value.reason)


def test_an_unknown_part_of_a_sum_is_reported_with_its_resource() -> None:
    rule = RULES["LIM-003"]
    declared = cases(rule).UNKNOWN_CASES["others are still judged"][0]
    assert [urn for _, urn in reported(rule, declared)] == [declared[0].urn, None]


@pytest.mark.parametrize("rule_id", RULES)
def test_each_rule_blocks_and_explains_itself(rule_id: str) -> None:
    rule = RULES[rule_id]
    policy = policy_of(rule)
    assert isinstance(policy, ResourceValidationPolicy if isinstance(rule, ResourceRule) else StackValidationPolicy)
    assert policy.enforcement_level is EnforcementLevel.MANDATORY
    assert policy.name == f"{rule.id}-{rule.name}"
    assert policy.display_name == f"{rule.id} {rule.name}"
    assert policy.severity is not None
    assert policy.severity.value == rule.severity.value
    assert policy.description.endswith(".")
    assert policy.remediation_steps


@pytest.mark.requirement("a rule judges a plan, a state and a live object alike, so it knows nothing of the engine")
def test_only_the_pack_knows_the_engine_s_sdk() -> None:
    files = {file.relative_to(POLICIES) for file in POLICIES.rglob("*.py") if SDK in imported(file)}
    assert files == {Path("pack.py"), Path("__main__.py")}


def imported(file: Path) -> set[str]:
    """Top-level packages that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_the_unknown_values_are_those_of_the_sdk() -> None:
    assert {value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_")} == UNKNOWN_VALUES


def test_an_unknown_value_is_named_by_its_whole_path_and_the_others_can_be_read() -> None:
    node = KnownMapping({"spec": {"hosts": [{"port": 1, "name": proxy.UNKNOWN_STRING_VALUE}]}})
    host = node["spec"]["hosts"][0]
    assert (list(host), host["port"], len(node["spec"]["hosts"])) == (["port", "name"], 1, 1)
    with pytest.raises(NotKnownError, match=r"^spec\.hosts\.0\.name is not known before the update$"):
        host["name"]
