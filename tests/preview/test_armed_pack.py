"""In the real engine: every rule refuses the canary, a pack that is off is found out, plain `pulumi` runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_project import Tiny

from policies.registry import PACK_NAME, discover
from shopsphere.deploy import arming
from shopsphere.deploy.environment import pack_variables
from shopsphere.foundation.process import run


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path / "lab"))


@pytest.fixture
def switched_off(tmp_path: Path) -> Path:
    """A configuration that disables every rule; the summary of a run names the pack all the same."""
    file = tmp_path / "off.json"
    file.write_text(json.dumps({"all": "disabled"}))
    return file


@pytest.mark.requirement("the policy pack cannot be switched off by a variable")
def test_every_rule_refuses_the_canary_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, switched_off: Path
) -> None:
    monkeypatch.setenv("PULUMI_OPTION_POLICY_PACK_CONFIG", str(switched_off))
    assert arming.require_armed_pack() == len(discover())


@pytest.mark.requirement("a run whose pack was not armed fails, and changes nothing")
def test_a_pack_that_is_switched_off_is_found_out(monkeypatch: pytest.MonkeyPatch, switched_off: Path) -> None:
    monkeypatch.setattr(arming, "ENFORCEMENT", switched_off)
    with pytest.raises(arming.PackNotArmedError, match="not evaluated: ") as error:
        arming.require_armed_pack()
    assert all(f"{rule.id}-{rule.name}" in str(error.value) for rule in discover())


@pytest.mark.requirement("plain `pulumi` in the environment of `shopsphere env` runs the pack too")
def test_plain_pulumi_is_judged_by_the_pack(tiny: Tiny) -> None:
    assert tiny.operate("preview", pack=False, dataClass="aggregate").code == 0
    command = ("pulumi", "preview", "--non-interactive", "--color", "never")
    judged = run(command, check=False, seconds=600, env={**tiny.environment, **pack_variables()}, cwd=tiny.folder)
    assert judged.code != 0
    assert "RES-003-placement-in-jurisdiction" in judged.stdout
    assert PACK_NAME in judged.stdout
