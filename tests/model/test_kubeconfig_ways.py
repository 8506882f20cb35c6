"""A kubeconfig that cannot be read leads nowhere that is known, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from kubeconfigs import kubeconfig
from policy_cases import kubernetes as k8s
from policy_cases.judging import RULES, findings

from policies.residency.kubeconfig import KubeconfigError, Way, way
from shopsphere.foundation.finding import Verdict

RIGHT = kubeconfig("frankfurt", "https://10.99.0.11:6443")
WRONG = {
    "no YAML": ("a: [\n", "^a document that is no YAML$"),
    "no mapping": ("- a\n- b\n", "^a document that is no mapping$"),
    "no server": (yaml.safe_dump(kubeconfig("frankfurt", "")), "without a server"),
    "no clusters": (yaml.safe_dump({**RIGHT, "clusters": None}), "under clusters"),
    "clusters that are a number": (yaml.safe_dump({**RIGHT, "clusters": 3}), "under clusters"),
    "clusters that are text": (yaml.safe_dump({**RIGHT, "clusters": "frankfurt"}), "under clusters"),
    "contexts of other names": (
        yaml.safe_dump({**RIGHT, "contexts": [{"name": "x", "context": {}}]}),
        "under contexts",
    ),
    "no such file": ("/none/such", "^/none/such, which cannot be read here$"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_read_says_why(case: str) -> None:
    document, why = WRONG[case]
    with pytest.raises(KubeconfigError, match=why):
        way(document, "frankfurt")


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(RIGHT))
    assert way(str(file), "frankfurt") == Way("https", "10.99.0.11", "")


def test_without_a_context_the_current_one_leads() -> None:
    assert way(yaml.safe_dump({**RIGHT, "current-context": "frankfurt"}), "").host == "10.99.0.11"


def test_a_provider_whose_kubeconfig_cannot_be_read_is_refused_as_not_known() -> None:
    (found,) = findings(RULES["RES-008"], k8s.PROVIDER)
    assert found.verdict is Verdict.UNKNOWN
    assert "kubeconfig: /none/such, which cannot be read here" in found.found
