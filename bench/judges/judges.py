"""The judges that others wrote, and their answers as findings of one form."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BOUND = 300
"""Seconds that one judge may take for one stack."""
PASSED = 10
"""kube-score's grade of a check that has nothing to say."""


class JudgeError(Exception):
    """A judge gave no answer that can be read; the message holds the end of what it said."""


@dataclass(frozen=True, order=True)
class Finding:
    """What a judge has against one object: the judge's name, its rule, what the rule asks, and Kind/namespace/name."""

    judge: str
    rule: str
    asks: str
    object: str


def kube_score(program: Path, file: Path) -> Iterator[Finding]:
    """Yield what kube-score has against the objects of a file.

    Raises:
        JudgeError: it gave no answer.
    """
    for judged in json.loads(_answer([str(program), "score", "--output-format", "json", str(file)])):
        meta = judged["object_meta"]
        name = f"{judged['type_meta']['kind']}/{meta.get('namespace', '-')}/{meta['name']}"
        for check in judged["checks"]:
            if not check["skipped"] and check["grade"] < PASSED:
                yield Finding("kube-score", check["check"]["id"], check["check"]["comment"], name)


def checkov(program: Path, file: Path) -> Iterator[Finding]:
    """Yield what checkov has against the objects of a file.

    Raises:
        JudgeError: it gave no answer, or could not read the file.
    """
    command = [str(program), "--framework", "kubernetes", "--file", str(file), "--output", "json", "--quiet"]
    answer = json.loads(_answer([*command, "--skip-download"]))
    if answer.get("summary", answer)["parsing_errors"]:
        raise JudgeError(f"checkov could not read {file.name}")
    if "results" not in answer:  # it knows no check for any object there
        return
    for failed in answer["results"]["failed_checks"]:
        kind, namespace, name = failed["resource"].split(".", 2)
        yield Finding("checkov", failed["check_id"], failed["check_name"], f"{kind}/{namespace}/{name}")


JUDGES = {"kube-score": kube_score, "checkov": checkov}


def version_of(judge: str, program: Path) -> str:
    """Return the version that a judge tells of itself; one that was built by `go install` tells it to Go only."""
    if judge == "checkov":
        return _answer([str(program), "--version"]).strip()
    path = shutil.which(program) or str(program)
    modules = (line.split() for line in _answer(["go", "version", "-m", path]).splitlines())
    return next(words[2] for words in modules if words[:1] == ["mod"])


def _answer(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=BOUND, check=False)
    if not done.stdout.strip():
        raise JudgeError(f"{command[0]} ended with code {done.returncode} and said nothing: {done.stderr[-500:]}")
    return done.stdout
