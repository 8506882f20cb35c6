"""Every rule of the pack: good and bad cases, unknown values and resources that are none of its business."""

from __future__ import annotations

from pathlib import Path

import pytest
from policy_cases.declared import Declared
from policy_cases.judging import RULES, CaseOf, cases, findings, verdict

import policies
from policies import registry
from policies.registry import RULE_MODULE, RegistryError
from policies.rule import THE_STACK, ResourceRule, Rule
from shopsphere.foundation.finding import Verdict

CASE_FOLDER = Path(__file__).parent / "policy_cases"


def named(kind: str) -> pytest.MarkDecorator:
    """Each case of a kind, by its rule and its name."""
    pairs = [(rule.id, name) for rule in RULES.values() for name in getattr(cases(rule), kind)]
    return pytest.mark.parametrize(("rule_id", "name"), pairs)


@named("GOOD")
def test_good_case_passes(rule_id: str, name: str) -> None:
    assert verdict(RULES[rule_id], cases(RULES[rule_id]).GOOD[name]) == []


@named("BAD")
def test_bad_case_is_a_violation_that_says_what_and_why(rule_id: str, name: str) -> None:
    declared, *phrases = cases(RULES[rule_id]).BAD[name]
    assert_told(RULES[rule_id], declared, phrases)
    assert {finding.verdict for finding in findings(RULES[rule_id], declared)} == {Verdict.FAILED}


@named("UNKNOWN_CASES")
def test_unknown_value_is_a_violation_that_names_the_property(rule_id: str, name: str) -> None:
    declared, *phrases = cases(RULES[rule_id]).UNKNOWN_CASES[name]
    assert_told(RULES[rule_id], declared, phrases)
    for finding in findings(RULES[rule_id], declared):
        assert (finding.verdict is Verdict.UNKNOWN) == ("is not known before the update" in finding.found)


@named("NOT_APPLICABLE")
def test_rule_stays_out_of_what_is_not_its_business(rule_id: str, name: str) -> None:
    assert verdict(RULES[rule_id], cases(RULES[rule_id]).NOT_APPLICABLE[name]) == []


def assert_told(rule: Rule, declared: CaseOf, phrases: list[str]) -> None:
    """Each phrase is in a message; each message names rule, resource, what was found, what is allowed, what to do."""
    messages = verdict(rule, declared)
    assert messages
    for phrase in phrases:
        assert any(phrase in message for message in messages), messages
    for message in messages:
        assert message.startswith(f"{rule.id} {rule.name}: ")
        if isinstance(declared, Declared):
            assert declared.urn in message
        parts = [line.strip().partition(":")[0] for line in message.splitlines()[1:]]
        assert parts == ["found", "allowed", "do"]
        assert all(line.partition(":")[2].strip() for line in message.splitlines()[1:])


def test_a_finding_says_all_that_a_program_needs() -> None:
    rule = RULES["RES-003"]
    (finding,) = findings(rule, cases(rule).BAD["aggregate outside headquarters"][0])
    assert finding.as_json() == {
        "check": "RES-003",
        "title": "placement-in-jurisdiction",
        "subject": "Namespace 'shop' (urn:pulumi:lab-frankfurt::rdc-a::kubernetes:core/v1:Namespace::shop)",
        "verdict": "fail",
        "severity": "critical",
        "found": "metadata.labels: class aggregate of jurisdiction eu at site frankfurt",
        "allowed": "aggregate of eu at newyork",
        "action": "give it a data class that its site may hold, or deploy it in the stack of an allowed site "
        "(topology.yaml: data_classes, jurisdictions)",
    }


def test_what_is_wrong_with_the_sum_is_the_stack_s_and_an_unknown_part_its_resource_s() -> None:
    rule = RULES["LIM-003"]
    part, total = findings(rule, cases(rule).UNKNOWN_CASES["others are still judged"][0])
    assert (part.verdict, total.verdict) == (Verdict.UNKNOWN, Verdict.FAILED)
    assert part.subject.startswith("Deployment 'shop' (urn:")
    assert total.subject == THE_STACK


@pytest.mark.parametrize("rule_id", RULES)
def test_each_rule_has_cases_of_every_kind(rule_id: str) -> None:
    module = cases(RULES[rule_id])
    for kind in ("GOOD", "BAD", "UNKNOWN_CASES", "NOT_APPLICABLE"):
        assert getattr(module, kind), f"{rule_id} has no {kind}"


def test_each_case_file_has_its_rule() -> None:
    files = {path.stem for path in CASE_FOLDER.glob("*.py") if RULE_MODULE.match(path.stem)}
    assert files == {f"{rule.id}_{rule.name}".lower().replace("-", "_") for rule in RULES.values()}


def test_residency_rules_block_before_anything_is_created() -> None:
    assert all(isinstance(rule, ResourceRule) for rule in RULES.values() if rule.id.startswith("RES-"))


def rules_in(monkeypatch: pytest.MonkeyPatch, folder: Path, **files: str) -> tuple[Rule, ...]:
    """The rules of a package with these files alone."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.setattr(policies, "__path__", [str(folder)])
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
