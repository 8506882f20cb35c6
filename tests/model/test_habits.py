"""What runs when somebody commits or pushes calls verbs, files and pinned actions that exist."""

import re
import runpy
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
import yaml

from shopsphere.foundation.paths import REPOSITORY

WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
VERBS = re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
HOOKS = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"]


def test_verbs_are_few() -> None:
    assert sorted(VERBS) == ["check", "down", "help", "hooks", "lock", "long", "smoke", "test", "types", "up"]


def test_hooks_are_the_projects_own_tools() -> None:
    assert [repo["repo"] for repo in HOOKS] == ["local"], "others would be downloaded"
    hooks = [hook for repo in HOOKS for hook in repo["hooks"]]
    assert [hook["id"] for hook in hooks] == ["syntax", "ruff-check", "ruff-format", "mypy", "topology"]
    assert {hook["language"] for hook in hooks} == {"system"}
    for hook in hooks:
        words = shlex.split(hook["entry"])
        assert words[0].startswith(".venv/bin/") or (words[0] == "make" and words[1] in VERBS)
        named = [word for word in words[1:] if word.endswith(".py")]
        assert [word for word in named if not (REPOSITORY / word).exists()] == []


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("good.yaml", "a: [1, 2]\n---\nb: !own x\n", ""),
        ("bad.yaml", "a: [1, 2\n", "expected ',' or ']'"),
        ("good.toml", 'a = "b"\n', ""),
        ("bad.toml", "a = b\n", "Invalid value"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, text: str, expected: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    problem = cast(Callable[[Path], str], runpy.run_path(str(REPOSITORY / "tools/check_syntax.py"))["problem"])
    found = problem(file)
    assert expected in found
    assert bool(found) == bool(expected)


def test_every_yaml_and_toml_file_can_be_read() -> None:
    problem = cast(Callable[[Path], str], runpy.run_path(str(REPOSITORY / "tools/check_syntax.py"))["problem"])
    files = [*REPOSITORY.glob("*.yaml"), *REPOSITORY.glob("*.toml"), *REPOSITORY.glob(".*.yaml"), *WORKFLOWS]
    files += [
        file for folder in ("stacks", "policies", "lab", "tools") for file in (REPOSITORY / folder).rglob("*.yaml")
    ]
    committed = [file for file in files if not file.is_symlink()]  # a link is a machine's own stack file
    assert {file.name: text for file in committed if (text := problem(file))} == {}


def names_in(file: str) -> set[str]:
    return set(re.findall(r"^([a-z][a-z0-9-]*)", (REPOSITORY / file).read_text(), re.MULTILINE))


def test_the_product_needs_no_test_tools() -> None:
    product, development = names_in("requirements.in"), names_in("requirements-dev.in")
    assert product >= {"pulumi", "pulumi-kubernetes", "pulumi-docker", "pyyaml", "jinja2", "kubernetes"}
    assert development >= {"pytest", "pytest-testinfra", "hypothesis", "ruff", "mypy"}
    assert not product & development
    assert not {"pytest", "ruff", "mypy", "hypothesis"} & names_in("requirements.lock")


def test_each_version_is_locked_once() -> None:
    def versions(file: str) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9.-]+)(?:\[\S+\])?==(\S+)", (REPOSITORY / file).read_text(), re.MULTILINE))

    product, development = versions("requirements.lock"), versions("requirements-dev.lock")
    assert len(development) > 8
    both = product.keys() & development.keys()
    assert {name: product[name] for name in both} == {name: development[name] for name in both}
    for source, locked in (("requirements.in", product), ("requirements-dev.in", development)):
        assert versions(source).items() <= locked.items(), f"run `make lock`: {source} has changed"


def test_extras_of_the_package_are_those_files() -> None:
    dynamic = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["dynamic"]
    assert dynamic["dependencies"] == {"file": ["requirements.in"]}
    assert dynamic["optional-dependencies"] == {"dev": {"file": ["requirements-dev.in"]}}


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "SECURITY.md", "README.md"])
def test_files_that_a_newcomer_is_sent_to_exist(document: str) -> None:
    folders = "shopsphere|components|policies|runbooks|lab|cli|app|tests|docs|bench|tools|stacks|\\.github"
    named = re.findall(rf"[`(]((?:{folders})/[\w./-]*)[`)]", (REPOSITORY / document).read_text())
    assert named
    assert [name for name in named if not (REPOSITORY / name).exists()] == []
