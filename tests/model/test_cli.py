"""The command: its verbs, its exit codes, and errors without tracebacks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Never

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

import app
from cli import main as cli
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import REPOSITORY

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
    assert cli.run([verb, "rdc-x"]) == 2
    assert "rdc-a, rdc-b, rdc-c" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["ready", "frankfurt"],
        ["drill", "frankfurt"],
        ["failback", "frankfurt"],
        ["failover", "frankfurt", "--planned"],
        ["watch", "frankfurt"],
        ["break-glass", "frankfurt"],
    ],
)
def test_a_site_where_a_pair_is_asked_for_leads_to_the_pair(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(words) == 2
    told = capsys.readouterr().err
    assert "frankfurt, which is a site of rdc-a" in told
    assert "do:       name rdc-a" in told


@pytest.mark.parametrize(
    "words",
    [
        ["failover", "rdc-a", "--planned", "--to", "mars"],
        ["break-glass", "rdc-a", "--to", "mars"],
        ["break-glass", "rdc-a", "--site-is-off", "singapore"],
    ],
)
def test_a_site_that_the_pair_does_not_have_is_told_which_it_has(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(words) == 2
    assert f"expected: {words[-2]} frankfurt or dublin" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["drill", "failback"])
def test_a_move_without_a_reason_is_refused(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([verb, "rdc-a", "--execute"]) == 2
    assert "--reason" in capsys.readouterr().err


def test_failover_and_break_glass_take_the_same_options() -> None:
    verbs = get_command(cli.app).commands  # type: ignore[attr-defined]
    failover, break_glass = (
        {each.name: each for each in verbs[name].params if each.name in {"to", "accept_data_loss", "execute", "reason"}}
        for name in ("failover", "break-glass")
    )
    assert len(failover) == 4
    assert {name: (each.opts, each.help) for name, each in failover.items()} == {
        name: (each.opts, each.help) for name, each in break_glass.items()
    }


def test_an_unknown_verb_exits_with_2_and_suggests_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["launch"]) == 2
    assert cli.run(["statu"]) == 2
    assert capsys.readouterr().err.count("Did you mean 'status'?") == 1


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("shopsphere status f", ["frankfurt"]),
        ("shopsphere up rdc-", ["rdc-a", "rdc-b", "rdc-c"]),
        ("shopsphere failover rdc-", ["rdc-a", "rdc-b", "rdc-c"]),
        ("shopsphere failover rdc-a --to d", ["dublin"]),
        ("shopsphere rebuild sy", ["sydney"]),
        ("shopsphere status rdc-a --environment p", ["prod"]),
        ("shopsphere lab power-off client-", ["client-eu", "client-us", "client-apac"]),
        ("shopsphere lab up h", ["hq"]),
        ("shopsphere fail", ["failover", "failback"]),
    ],
)
def test_the_shell_completes_names(
    words: str, completed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_SHOPSPHERE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert cli.run([]) == 0
    assert sorted(capsys.readouterr().out.split()) == sorted(completed)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_of_a_shell_can_be_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["completion", shell]) == 0
    assert "_SHOPSPHERE_COMPLETE=complete_" in capsys.readouterr().out


def test_completing_loads_no_client_and_no_engine() -> None:
    loaded = "import sys, cli.main; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", loaded], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert not {"kubernetes", "pulumi", "jinja2", "httpx"} & set(found.stdout.split())


def test_the_version_is_that_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"shopsphere {app.__version__}\n"


def test_an_error_of_ours_is_a_message_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class DriftError(ShopSphereError):
        exit_code = 7

    broken = typer.Typer()

    @broken.command()
    def verb() -> Never:
        raise DriftError("frankfurt is not what was declared")

    monkeypatch.setattr(cli, "app", broken)
    assert cli.run([]) == 7
    assert capsys.readouterr().err == "error: frankfurt is not what was declared\n"


def test_the_environment_of_a_target_is_that_of_its_jurisdiction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    monkeypatch.setattr("cli.environment.ensure_kubernetes_plugin", lambda: None)
    assert cli.run(["env", "frankfurt"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"export PULUMI_BACKEND_URL=file://{tmp_path}/pulumi/state/eu" in lines
    assert f"export PULUMI_CONFIG_PASSPHRASE_FILE={tmp_path}/pulumi/passphrases/eu" in lines
    assert f"export PULUMI_OPTION_POLICY_PACK={REPOSITORY}/policies" in lines
    assert f"export PULUMI_OPTION_POLICY_PACK_CONFIG={REPOSITORY}/policies/enforcement.json" in lines


@pytest.mark.requirement("`env` makes nothing in a lab that another checkout deploys to")
def test_the_environment_of_another_checkouts_lab_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    monkeypatch.setattr("cli.environment.ensure_kubernetes_plugin", lambda: None)
    other = tmp_path / "other-checkout"
    other.mkdir()
    owner = tmp_path / "pulumi" / "stacks" / "checkout"
    owner.parent.mkdir(parents=True)
    owner.write_text(f"{other}\n")
    assert cli.run(["env", "frankfurt"]) == 1
    told = capsys.readouterr()
    assert str(other) in told.err
    assert told.out == ""
    assert not (tmp_path / "pulumi" / "passphrases").exists()
    assert not (tmp_path / "pulumi" / "state").exists()


def test_targets_of_several_jurisdictions_have_no_one_environment(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["env", "all"]) == 2
    assert "apac, eu, headquarters, us" in capsys.readouterr().err


def test_topology_check_names_what_it_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["topology", "check"]) == 0
    assert "7 sites in 3 pairs" in capsys.readouterr().out
