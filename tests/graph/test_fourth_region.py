"""A fourth region needs topology.yaml and its stack files, nothing else: added in a copy of the tree, and looked at."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shopsphere.foundation.paths import REPOSITORY

FOLDERS = ("app", "cli", "components", "docs", "lab", "policies", "runbooks", "shopsphere", "stacks", "tests")
FILES = ("__main__.py", "lab.base.yaml", "Pulumi.yaml", "Pulumi.prod.yaml", "topology.yaml", "topology.prod.yaml")
ADD = [
    *("region", "add", "rdc-d", "--primary", "Tokyo,JP", "--recovery", "Osaka,JP", "--rtt-ms", "9"),
    *("--jurisdiction", "japan", "--legal-basis", "One country and one law, the APPI: nothing goes abroad."),
    *("--title", "Japan", "--language", "ja-JP", "--delivers-to", "JP=Japan"),
    *("--currency", "JPY", "--currency-sign", "¥", "--minor-digits", "0", "--price-factor", "165"),
]


def contents(tree: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(tree)): file.read_bytes()
        for file in tree.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def python(tree: Path, *words: str) -> str:
    """Run Python with a tree's own modules and return what it printed."""
    environment = {**os.environ, "PYTHONPATH": f"{tree}:{tree}/tests/support", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *words], cwd=tree, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what is committed, without what labs and Python have left in it."""
    root = tmp_path_factory.mktemp("copy") / "tree"
    left = shutil.ignore_patterns("__pycache__", "Pulumi.lab-*.yaml", ".venv", ".mypy_cache")
    for name in FOLDERS:
        shutil.copytree(REPOSITORY / name, root / name, ignore=left)
    for name in FILES:
        shutil.copy(REPOSITORY / name, root / name)
    return root


@pytest.fixture(scope="module")
def changed(tree: Path) -> set[str]:
    """Add the region and return the files that differ afterwards."""
    before = contents(tree)
    said = python(tree, "-m", "cli.main", *ADD)
    assert "left to do by hand" in said
    after = contents(tree)
    return {name for name in after if after[name] != before.get(name)} | (set(before) - set(after))


@pytest.fixture(scope="module")
def found(tree: Path, changed: set[str]) -> dict[str, Any]:
    assert changed
    report: dict[str, Any] = json.loads(python(tree, "tests/graph/region_report.py", "rdc-d"))
    assert report["root"] == str(tree)
    return report


@pytest.mark.requirement("a fourth region needs topology.yaml and its stack files, nothing else")
def test_only_topology_and_stack_files_change(changed: set[str]) -> None:
    own = {"Pulumi.yaml", "__main__.py"}
    own |= {f"lab-{site}.base.yaml" for site in ("tokyo", "osaka")}
    own |= {f"Pulumi.prod-{site}.yaml" for site in ("tokyo", "osaka")}
    assert changed == {
        "topology.yaml",
        "topology.prod.yaml",
        "Pulumi.prod.yaml",
        "docs/architecture.svg",
        *(f"stacks/rdc-d/{n}" for n in own),
    }


@pytest.mark.requirement("a fourth region: all graphs build, and the policy pack has nothing against them")
def test_the_graphs_build_and_the_pack_passes(found: dict[str, Any]) -> None:
    assert found["stacks"] == ["lab-osaka", "lab-tokyo", "prod-osaka", "prod-tokyo"]
    assert all(count > 40 for count in found["resources"].values()), found["resources"]
    assert found["findings"] == []


@pytest.mark.requirement("a fourth region: its shop knows its money, its language and its countries")
def test_the_shop_follows(found: dict[str, Any]) -> None:
    for shop in found["shops"].values():
        assert shop == {
            "pair": "rdc-d",
            "title": "Japan",
            "language": "ja-JP",
            "price": "¥6,400",
            "order_prefix": "J",
            "delivers_to": {"JP": "Japan"},
            "prices_include_tax": True,
        }


@pytest.mark.requirement("a fourth region: names lead its customers to it, and the CDN fetches from it")
@pytest.mark.parametrize(("environment", "customers"), [("lab", "10.99.112.0/20"), ("prod", "100.67.0.0/16")])
def test_the_edge_follows(found: dict[str, Any], environment: str, customers: str) -> None:
    edge = found["edges"][environment]
    sites = ["frankfurt", "dublin", "ashburn", "chicago", "singapore", "sydney", "tokyo", "osaka"]
    assert edge["origins"] == sites
    assert sorted(edge["states"]) == ["rdc-a", "rdc-b", "rdc-c", "rdc-d"]
    assert {"rdc-d", "tokyo", "osaka"} <= set(edge["names"])
    assert f"netmask({{'{customers}'}}) then pair='rdc-d'" in edge["www"]
    assert edge["www"].startswith("A \";local pair='rdc-a'")


@pytest.mark.requirement("a fourth region: three voters outside it, and nobody else's voters move")
def test_the_witness_follows(found: dict[str, Any]) -> None:
    assert found["seats"] == {
        "rdc-a": ["newyork", "ashburn", "singapore"],
        "rdc-b": ["newyork", "frankfurt", "singapore"],
        "rdc-c": ["newyork", "frankfurt", "ashburn"],
        "rdc-d": ["newyork", "frankfurt", "ashburn"],
    }
    assert found["told"]["rdc-a"] == ["https://10.99.0.21:2480", "https://10.99.0.31:2480", "https://10.99.0.40:2480"]
    assert set(found["told"]["rdc-d"]) == {
        *("https://10.99.0.40:2510", "https://10.99.0.11:2510", "https://10.99.0.21:2510")
    }


@pytest.mark.requirement("a fourth region: the lab has its customers and its hosts, the picture has its sites")
def test_the_lab_and_the_picture_follow(found: dict[str, Any], tree: Path) -> None:
    assert found["customers"] == ["10.99.112.10", "tokyo"]
    assert {"tokyo", "osaka", "newyork", "frankfurt", "ashburn", "client-japan"} <= set(found["hosts"])
    assert {"dublin", "singapore"}.isdisjoint(found["hosts"])
    assert found["picture"]
    assert "Osaka, JP" in (tree / "docs" / "architecture.svg").read_text()
