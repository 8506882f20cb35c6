"""The real CLI, language host and provider plugin, on a file backend in a temporary folder."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from shopsphere.foundation.paths import REPOSITORY, tools_directory
from shopsphere.foundation.process import Result, run

TOOLS = (
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resource-pulumi-python",
    "pulumi-resource-kubernetes",
)
PACK = REPOSITORY / "policies"
STACK = "lab-frankfurt"
SECONDS = 300


@dataclass
class Tiny:
    """The program of tests/preview/tiny as a project of its own."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def rendered(self) -> Path:
        return self.folder / "rendered"

    @property
    def events_file(self) -> Path:
        return self.folder / "events.json"

    def operate(self, operation: str, *options: str | Path, pack: bool = True, **facts: str) -> Result:
        """Run `pulumi preview` or `up` with facts of the program spoiled, and with the pack unless told otherwise."""
        values = {"tiny:rendered": str(self.rendered), **{f"tiny:{name}": value for name, value in facts.items()}}
        (self.folder / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": values}))
        self.events_file.unlink(missing_ok=True)
        packs = ("--policy-pack", PACK) if pack else ()
        return self.pulumi(operation, "--event-log", self.events_file, "--suppress-progress", *packs, *options)

    def pulumi(self, *words: str | Path) -> Result:
        command = ("pulumi", *words, "--non-interactive", "--color", "never")
        return run(command, check=False, seconds=SECONDS, env=self.environment, cwd=self.folder)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What the engine itself recorded, by kind of event."""
        lines = map(json.loads, self.events_file.read_text().splitlines())
        return [line[kind] for line in lines if kind in line]

    def state(self) -> list[str]:
        """Types of the resources that the stack holds."""
        exported = json.loads(self.pulumi("stack", "export").stdout)
        return [resource["type"] for resource in exported["deployment"].get("resources", [])]


def tool_path() -> str:
    path = f"{tools_directory()}{os.pathsep}{os.environ['PATH']}"
    missing = [tool for tool in TOOLS if shutil.which(tool, path=path) is None]
    if missing:
        pytest.fail(f"not on PATH and not in {tools_directory()}: {', '.join(missing)}; run `shopsphere lab prepare`")
    return path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Tiny:
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
