"""A copy of the tree whose files are edited one seed at a time, and a process that runs the edited program.

The process imports everything once and forgets what is this repository's own. For each seed it forks: the child
imports the edited tree, runs the stack's program under Pulumi's mocks, asks the rules, and ends.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from production_topology import filled_in_text
from seeds.seed import Seed, SeedError

from shopsphere.foundation.paths import REPOSITORY

FOLDERS = ("app", "components", "policies", "shopsphere", "stacks", "tests/support", "tests/graph", "tests/seeded")
FILES = ("__main__.py", "lab.base.yaml", "Pulumi.yaml", "Pulumi.prod.yaml", "topology.yaml", "topology.prod.yaml")
LATER_SECONDS = 10
"""How much newer an edited file is made than the original: Python tells compiled files by whole seconds and size."""


class SeededTree:
    """The copy and its process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        left = shutil.ignore_patterns("__pycache__", "Pulumi.lab-*.yaml")
        for name in FOLDERS:
            shutil.copytree(REPOSITORY / name, root / name, ignore=left)
        for name in FILES:
            shutil.copy(REPOSITORY / name, root / name)
        production = root / "topology.prod.yaml"
        production.write_text(filled_in_text(production.read_text()))
        path = os.pathsep.join(str(root / name) for name in ("", *FOLDERS[-3:]))
        self._process = subprocess.Popen(
            [sys.executable, str(root / "tests/seeded/seeded_runs.py")],
            cwd=root,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate(timeout=30)

    def judged(self, seed: Seed) -> dict[str, Any]:
        """Edit, run, judge, and take the edit back.

        Returns:
            `found`: a list of rule and what it found; `refused`: why nothing could be judged, empty otherwise.

        Raises:
            SeedError: the text that the seed replaces does not stand in its file exactly once.
        """
        file = self.root / seed.file
        written, at = file.read_text(), file.stat().st_mtime
        edited = seed.edited(written)
        file.write_text(edited)
        os.utime(file, (at + LATER_SECONDS,) * 2)
        try:
            return self.judged_as_it_is(seed)
        finally:
            file.write_text(written)
            os.utime(file, (at, at))

    def judged_as_it_is(self, seed: Seed) -> dict[str, Any]:
        """Run and judge the stacks of a seed without its edit."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(asdict(seed)) + "\n")
        self._process.stdin.flush()
        verdict: dict[str, Any] = json.loads(self._answer())
        return verdict

    def _answer(self) -> str:
        assert self._process.stdout
        answer = self._process.stdout.readline()
        if not answer:
            raise SeedError(f"the process that judges seeds ended with {self._process.wait(timeout=30)}")
        return answer
