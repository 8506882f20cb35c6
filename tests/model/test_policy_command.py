"""`shopsphere policy`: what it is asked, how it ends, and what it works with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from fleet_by_hand import block, by_hand, opens, with_planted

from cli import main as cli
from policies.fleet import environment as fleet
from policies.fleet.check import Report, Scope, check
from policies.residency.kubeconfig import way
from shopsphere.deploy import offline
from shopsphere.deploy.filling_in import UnfilledError
from shopsphere.estate import stack_files
from shopsphere.estate.pair_secrets import PAIR_SECRET_NAMES
from shopsphere.estate.stack import Environment, edge_stack, site_stack
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.topology import Topology, load_topology

FILES = {stack: f"stacks/{stack}.yaml" for stack in by_hand()}
CLEAN, VIOLATED = by_hand(), with_planted(opens("dublin", "data-ledger", block("10.99.0.40/32"), name="hq"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Put a fleet written by hand in the place of the real one, and note what is asked for; not clean in production."""
    seen: list[tuple[str, str]] = []

    def judge(topology: Topology, target: str, environment: Environment) -> Report:
        seen.append((target, environment.value))
        stacks = CLEAN if environment is Environment.LAB else VIOLATED
        return check((), stacks, load_topology(), Scope("lab", target, tuple(FILES), frozenset(), FILES))

    monkeypatch.setattr(fleet, "judge_environment", judge)
    return seen


@pytest.mark.parametrize(
    ("words", "target", "environment", "code"),
    [
        ("--all", "all", "lab", 0),
        ("all", "all", "lab", 0),
        ("all --all", "all", "lab", 0),
        ("rdc-a", "rdc-a", "lab", 0),
        ("edge -e prod", "edge", "prod", 6),
        ("--all --environment prod", "all", "prod", 6),
    ],
)
def test_what_is_asked(asked: list[tuple[str, str]], words: str, target: str, environment: str, code: int) -> None:
    assert cli.run(["policy", "check", *words.split()]) == code
    assert asked == [(target, environment)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "no target"),
        ("rdc-a --all", "found:    rdc-a and --all"),
        ("berlin", "unknown target 'berlin'"),
        ("--all --format xml", "'xml' is not one of"),
        ("--all -e moon", "'moon' is not one of"),
    ],
)
def test_wrong_words_do_nothing(
    asked: list[tuple[str, str]], capsys: pytest.CaptureFixture[str], words: str, said: str
) -> None:
    assert cli.run(["policy", "check", *words.split()]) == ExitCode.WORDS
    told = capsys.readouterr()
    assert said in told.err
    assert "  do:  " in told.err
    assert told.out == ""
    assert asked == []


@pytest.mark.parametrize(
    ("form", "begins"), [("text", "judged: "), ("json", "{"), ("sarif", '{\n  "$schema"'), ("junit", "<?xml ")]
)
def test_each_form_is_written_alone_on_standard_output(
    asked: list[tuple[str, str]], capsys: pytest.CaptureFixture[str], form: str, begins: str
) -> None:
    assert cli.run(["policy", "check", "--all", "--format", form]) == ExitCode.GOOD
    assert asked
    assert capsys.readouterr().out.startswith(begins)


def test_violations_are_there_in_every_form(asked: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["policy", "check", "--all", "-e", "prod", "--format", "json"]) == ExitCode.VIOLATED
    assert json.loads(capsys.readouterr().out)["findings"][0]["check"] == "FLT-007"
    assert asked == [("all", "prod")]


@pytest.mark.requirement("the fleet check needs no lab: where none was started, it judges what one would be")
def test_without_a_lab_a_kubeconfig_leads_to_the_sites_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    topology = load_topology(environment="lab")
    config, secret = offline.configuration(topology, site_stack(topology, "dublin", Environment.LAB))
    assert way(config["shopsphere:kubeconfig"], config["shopsphere:context"]).host == "10.99.0.12"
    assert {f"shopsphere:{name}" for name in (*PAIR_SECRET_NAMES, "gatewayTlsKey")} <= set(secret)
    assert {config[key] for key in secret} == {stack_files.STAND_IN}
    assert "shopsphere:pspApiKey" not in config


def test_a_labs_own_kubeconfig_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    file = tmp_path / "kubeconfigs" / "dublin.yaml"
    file.parent.mkdir()
    file.write_text("a kubeconfig")
    topology = load_topology(environment="lab")
    config, _ = offline.configuration(topology, site_stack(topology, "dublin", Environment.LAB))
    assert config["shopsphere:kubeconfig"] == str(file)


def test_values_of_secrets_are_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "Pulumi.prod-dublin.yaml"
    file.write_text(yaml.safe_dump({"config": {"shopsphere:ledgerPassword": {"secure": "v1:x"}, "shopsphere:a": "b"}}))
    monkeypatch.setattr(stack_files, "project_file", lambda _stack: file)
    topology = load_topology(environment="prod")
    config, secret = offline.configuration(topology, site_stack(topology, "dublin", Environment.PROD))
    assert config["shopsphere:ledgerPassword"] == stack_files.STAND_IN
    assert config["shopsphere:a"] == "b"
    assert {"shopsphere:ledgerPassword", "shopsphere:pspApiKey"} <= set(secret)
    assert "shopsphere:a" not in secret


def test_the_edge_has_no_secrets_of_a_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    assert offline.configuration(load_topology(environment="lab"), edge_stack(Environment.LAB))[1] == []


@pytest.mark.requirement("what is not filled in is told at once, all of it; secrets may still be missing")
def test_placeholders_are_told() -> None:
    topology = load_topology(environment="prod")
    with pytest.raises(UnfilledError) as raised:
        offline.graphs_of(topology, offline.all_stacks(topology, Environment.PROD))
    text = str(raised.value)
    assert "Pulumi.prod-sydney.yaml: config.shopsphere:archiveRecipient, config.shopsphere:cdnAuthority," in text
    assert "Pulumi.prod.yaml: config.shopsphere:cdnAddress" in text
    assert "pspUrl" in text
    assert "ledgerPassword" not in text
    assert "gatewayTlsKey" not in text


def test_every_stack_is_there_with_its_file() -> None:
    topology = load_topology(environment="lab")
    stacks = offline.all_stacks(topology, Environment.LAB)
    assert {stack.name for stack in stacks} == {"lab", *(f"lab-{site}" for site in topology.sites)}
    assert {offline.file_of(stack) for stack in stacks} >= {"lab.base.yaml", "stacks/rdc-a/lab-dublin.base.yaml"}
    production = offline.all_stacks(topology, Environment.PROD)
    assert {offline.file_of(stack) for stack in production} >= {
        "Pulumi.prod.yaml",
        "stacks/hq/Pulumi.prod-newyork.yaml",
    }


def test_what_an_api_server_enforces_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["policy", "admission", "dublin"]) == ExitCode.GOOD
    documents = list(yaml.safe_load_all(capsys.readouterr().out))
    names = {each["metadata"]["name"] for each in documents if each["kind"] == "ValidatingAdmissionPolicy"}
    bound = {each["spec"]["policyName"] for each in documents if each["kind"] == "ValidatingAdmissionPolicyBinding"}
    assert names == bound
    assert "shopsphere-pods" in names
    assert cli.run(["policy", "admission", "mars"]) == ExitCode.WORDS


def test_the_files_of_the_guard_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["policy", "guard", "deployer", "second"]) == ExitCode.GOOD
    policy, binding = yaml.safe_load_all(capsys.readouterr().out)
    assert '["deployer", "second"]' in policy["spec"]["validations"][0]["expression"]
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]
    assert cli.run(["policy", "guard", "deployer", "--configuration", "/etc/admission"]) == ExitCode.GOOD
    (plugin,) = yaml.safe_load(capsys.readouterr().out)["plugins"]
    assert plugin["configuration"]["staticManifestsDir"] == "/etc/admission"


@pytest.mark.parametrize("words", [["deployer", "--configuration", "admission"], [" "], []])
def test_a_guard_for_nobody_or_in_no_place_is_refused(words: list[str]) -> None:
    assert cli.run(["policy", "guard", *words]) == ExitCode.WORDS
