"""The version stands in one place, and its copies agree with it."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from app import __version__
from lab.images.catalogue import IMAGES
from shopsphere.foundation.paths import REPOSITORY

STACK_FILES = sorted({*REPOSITORY.glob("stacks/*/*.base.yaml"), *REPOSITORY.glob("stacks/*/Pulumi.prod-*.yaml")})


def test_it_is_a_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_the_package_takes_it_from_the_shop() -> None:
    document = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    assert "version" not in document["project"]
    assert "version" in document["project"]["dynamic"]
    assert document["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "app.__version__"}


def test_it_is_a_literal() -> None:
    """Setuptools then reads it without importing what the shop needs."""
    (assignment,) = [each for each in ast.parse((REPOSITORY / "app/__init__.py").read_text()).body
                     if isinstance(each, ast.Assign)]  # fmt: skip
    assert ast.literal_eval(assignment.value) == __version__


def test_the_policy_pack_has_it() -> None:
    assert yaml.safe_load((REPOSITORY / "policies/PulumiPolicy.yaml").read_text())["version"] == __version__


def test_the_shop_s_image_has_it() -> None:
    assert next(image.tag for image in IMAGES.values() if image.name == "shop") == __version__


def test_stack_files_are_found() -> None:
    assert len(STACK_FILES) >= 12


@pytest.mark.parametrize("file", STACK_FILES, ids=lambda file: file.name)
def test_stacks_run_it(file: Path) -> None:
    tags = re.findall(r"/shopsphere/shop:([^@\s]+)", file.read_text())
    assert set(tags) <= {__version__}
    assert tags or "hq" in file.parts


def test_the_changelog_knows_it() -> None:
    headings = re.findall(r"^## \[([^\]]+)\]", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert set(headings[1:2]) <= {__version__}, "the newest release is the version, or there is none yet"
