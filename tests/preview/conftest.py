"""The real CLI, language host and provider plugin, on a file backend in a temporary folder."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_project import STACK, Tiny

from cli import common
from shopsphere.foundation.paths import tools_directory

TOOLS = (
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resource-pulumi-python",
    "pulumi-resource-kubernetes",
)


def tool_path() -> str:
    path = f"{tools_directory()}{os.pathsep}{os.environ['PATH']}"
    missing = [tool for tool in TOOLS if shutil.which(tool, path=path) is None]
    if missing:
        pytest.fail(f"not on PATH and not in {tools_directory()}: {', '.join(missing)}; run `shopsphere lab prepare`")
    return path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    folder = tmp_path_factory.mktemp("tiny")
    source = Path(__file__).parent / "tiny"
    shutil.copy(source / "__main__.py", folder)
    template = (source / "Pulumi.yaml.template").read_text()
    (folder / "Pulumi.yaml").write_text(template.format(virtualenv=sys.prefix))
    for name in ("state", "home", "rendered"):
        (folder / name).mkdir()
    environment = {
        "PATH": tool_path(),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "a passphrase of a stack that holds no secret",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DEBUG_COMMANDS": "true",  # or --event-log is no option
    }
    project = Tiny(folder, environment)
    created = project.pulumi("stack", "init", STACK)
    assert created.code == 0, created.stderr
    return project


@pytest.fixture(scope="session", autouse=True)
def network_of_the_lab() -> Iterator[None]:
    """Verbs go on without a lab: what is previewed here is written to files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "lab_is_here", lambda: True)
        yield
