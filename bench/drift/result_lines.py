"""Results, one line each, as they come; a run that was stopped goes on under its own name."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pulumi_words import COULD_NOT, FOUND

from shopsphere.foundation.files import write_whole

FOLDER = Path(__file__).resolve().parents[1] / "results"
AGAIN = {"missed", "partly found"}
"""Outcomes of injections that a resumed run makes again."""
COMPARED, QUIET = FOLDER / "drift_compared.jsonl", FOLDER / "drift_quiet.jsonl"


@dataclass(frozen=True)
class Lines:
    """Where the results of one run go.

    Attributes:
        file: of all runs.
        target: the region.
        run: when it began; tells it from other ones.
        commit: of this checkout.
    """

    file: Path
    target: str
    run: str
    commit: str

    @classmethod
    def open(cls, file: Path, target: str, *, resume: bool = False) -> Lines:
        """Begin a run, or go on with the last one of this target; what a killed run wrote half is cut off."""
        if file.exists() and not (text := file.read_text()).endswith("\n"):
            write_whole(file, text[: text.rfind("\n") + 1])
        last = [each["run"] for each in read(file) if each["target"] == target][-1:] if resume else []
        git = ["git", "-C", str(FOLDER), "rev-parse", "--short", "HEAD"]
        commit = subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
        return cls(file, target, (last or [_now()])[0], commit)

    def write(self, result: dict[str, Any]) -> None:
        """Append one result."""
        head = {"at": _now(), "run": self.run, "target": self.target, "machine": machine(), "commit": self.commit}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a") as sink:
            sink.write(f"{json.dumps({**head, **result})}\n")

    def of_run(self) -> list[dict[str, Any]]:
        """Return the results of this run, the last of each injection."""
        return latest([each for each in read(self.file) if (each["run"], each["target"]) == (self.run, self.target)])

    def done_keys(self) -> set[str]:
        """Return what need not be made again: not what drift did not find whole, nor what Pulumi could not speak of."""
        lines = [each for each in self.of_run() if COULD_NOT not in each.get("pulumi", {}).values()]
        return {each["key"] for each in lines if each["outcome"] not in AGAIN}

    def overwriting(self) -> set[str]:
        """Return those of which Pulumi's refresh found something, and its preview could say nothing."""
        said = {each["key"]: each.get("pulumi", {}) for each in self.of_run()}
        return {key for key, of in said.items() if of.get("preview") == COULD_NOT and of.get("refresh") == FOUND}


def latest(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the last line of each key, in the order in which the keys came first."""
    return [*{each["key"]: each for each in lines}.values()]


def read(file: Path) -> list[dict[str, Any]]:
    """Return all lines of a file; none where there is no file."""
    return [json.loads(line) for line in file.read_text().splitlines() if line.strip()] if file.exists() else []


def machine() -> str:
    """Return what was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
