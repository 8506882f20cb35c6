"""The program of tests/preview/tiny as a project, operated with the real CLI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import Result, run

PACK = REPOSITORY / "policies"
STACK = "lab-frankfurt"
SECONDS = 600


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
