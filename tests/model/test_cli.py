"""The command: its verbs, its exit codes, and errors without tracebacks."""

from pathlib import Path
from typing import Never

import pytest
from typer.testing import CliRunner

from cli import main as cli
from shopsphere.foundation.errors import ShopSphereError

VERBS = [
    "up",
    "preview",
    "destroy",
    "status",
    "ready",
    "drill",
    "failover",
    "failback",
    "rebuild",
    "env",
    "diagram",
    "topology",
    "lab",
]


def test_every_verb_has_a_line_of_help() -> None:
    shown = CliRunner().invoke(cli.app, ["--help"]).output
    for verb in VERBS:
        assert verb in shown


@pytest.mark.parametrize("verb", ["up", "preview", "destroy", "status", "env"])
def test_an_unknown_target_exits_with_2_and_says_which_are_known(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([verb, "atlantis"]) == 2
    told = capsys.readouterr().err
    assert "expected: a region (rdc-a, rdc-b, rdc-c, hq), a site (frankfurt," in told
    assert "Traceback" not in told


@pytest.mark.parametrize("verb", ["ready", "drill", "failback"])
def test_an_unknown_pair_exits_with_2_and_says_which_are_known(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([verb, "frankfurt"]) == 2
    assert "rdc-a, rdc-b, rdc-c" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["drill", "failback"])
def test_a_move_without_a_reason_is_refused(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([verb, "rdc-a", "--execute"]) == 2
    assert "--reason" in capsys.readouterr().err


def test_an_unknown_verb_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["launch"]) == 2


def test_an_error_of_ours_is_a_message_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class DriftError(ShopSphereError):
        exit_code = 7

    def broken(*_arguments: object, **_options: object) -> Never:
        raise DriftError("frankfurt is not what was declared")

    monkeypatch.setattr(cli, "app", broken)
    assert cli.run([]) == 7
    assert capsys.readouterr().err == "error: frankfurt is not what was declared\n"


def test_destroy_asks_and_takes_no_for_an_answer() -> None:
    result = CliRunner().invoke(cli.app, ["destroy", "rdc-a"], input="n\n")
    assert "frankfurt, dublin" in result.output
    assert isinstance(result.exception, ShopSphereError)


def test_the_environment_of_a_target_is_that_of_its_jurisdiction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    monkeypatch.setattr("cli.environment.ensure_kubernetes_plugin", lambda: None)
    assert cli.run(["env", "frankfurt"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"export PULUMI_BACKEND_URL=file://{tmp_path}/pulumi/state/eu" in lines
    assert f"export PULUMI_CONFIG_PASSPHRASE_FILE={tmp_path}/pulumi/passphrases/eu" in lines


def test_targets_of_several_jurisdictions_have_no_one_environment(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["env", "all"]) == 2
    assert "apac, eu, headquarters, us" in capsys.readouterr().err


def test_topology_check_names_what_it_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["topology", "check"]) == 0
    assert "7 sites in 3 pairs" in capsys.readouterr().out
