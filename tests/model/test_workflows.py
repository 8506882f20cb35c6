"""Workflows call verbs and options that exist, with rights and times that are bounded, and never for strangers."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from typer.main import get_command

from cli.main import app
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import HEADQUARTERS, load_topology

WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))
GITLAB = REPOSITORY / "docs/ci/gitlab-ci.yml"
TARGETS = frozenset(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)) | {".venv/.ready"}
WRITES = {
    ("check", "check"): set(),
    ("check", "test"): set(),
    ("policy", "policy"): {"security-events"},
    ("preview", "preview"): set(),
    ("preview", "comment"): {"pull-requests"},
    ("drift", "drift"): {"issues"},
}
"""What each job may write, by workflow and job; written by hand."""
CHOICES = {"$ENVIRONMENT": "prod", "$NUMBER": "7", "$RUN": "https://github.example/run"}
ONLY_OWN = "github.event.pull_request.head.repo.full_name == github.repository"


def document(workflow: Path) -> dict[Any, Any]:
    read: dict[Any, Any] = yaml.safe_load(workflow.read_text())
    return read


def jobs(*files: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for file in files or WORKFLOWS:
        for name, job in document(file)["jobs"].items():
            yield file.stem, name, job


def commands(job: dict[str, Any]) -> Iterator[str]:
    """Each command of a job as it runs for each entry of its matrix."""
    for entry in job.get("strategy", {}).get("matrix", {}).get("include", [{}]):
        for run in (step["run"] for step in job["steps"] if "run" in step):
            yield re.sub(r"\$\{\{ matrix\.(\w+) \}\}", partial(_of_entry, entry), run)


def _of_entry(entry: dict[str, str], key: re.Match[str]) -> str:
    return entry[key[1]]


def gitlab_commands() -> Iterator[str]:
    for job in yaml.safe_load(GITLAB.read_text()).values():
        if isinstance(job, dict) and "script" in job:
            yield from (each.replace("$TARGET", "rdc-a") for each in job["script"])


def parsed(words: list[str]) -> str:
    """Ask the command line itself whether it would take these words, and return the verb; nothing runs."""
    verb: click.Command = get_command(app)
    context = click.Context(verb, info_name="shopsphere", resilient_parsing=False)
    while isinstance(verb, click.Group):
        name, *words = words
        found = verb.get_command(context, name)
        assert found, f"no verb {name}"
        verb, context = found, click.Context(found, parent=context, info_name=name)
    plain = [CHOICES.get(word, word) for word in words]
    for option in verb.params:
        option.callback = None  # whether the lab runs here is not asked
    verb.parse_args(context, plain)
    return str(context.command_path)


def judged(run: str) -> str:
    """Return what a command calls: one verb, whose output may go to one file of the job."""
    assert "\n" not in run.strip(), "one command a step"
    words = shlex.split(run)
    if ">" in words:
        at = words.index(">")
        assert re.fullmatch(r"[\w.-]+\.(sarif|txt|json|xml)", words[at + 1]), run
        assert len(words) == at + 2, run
        words = words[:at]
    assert not set(run) & set(";&|`(){}<"), f"a verb, and no program of the shell: {run}"
    if words[0] == "make":
        assert set(words[1:]) <= TARGETS, run
        return run
    assert words[0] == ".venv/bin/shopsphere", run
    return parsed(words[1:])


@pytest.mark.requirement("workflows call only verbs and options that exist")
@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_calls_verbs_that_exist(workflow: Path) -> None:
    called = [judged(run) for _, _, job in jobs(workflow) for run in commands(job)]
    assert called
    assert all(step.keys() & {"run", "uses"} for _, _, job in jobs(workflow) for step in job["steps"])


@pytest.mark.parametrize(
    "run",
    [
        "make everything",
        ".venv/bin/shopsphere drift rdc-a --jsn > drift.json",
        ".venv/bin/shopsphere drifts rdc-a",
        ".venv/bin/shopsphere policy check --all --format pdf",
        ".venv/bin/shopsphere drift rdc-a --json > /etc/passwd",
        "curl https://example.com",
    ],
)
def test_what_does_not_exist_is_found(run: str) -> None:
    with pytest.raises((AssertionError, click.UsageError)):
        judged(run)


def test_every_job_that_was_asked_for_is_there() -> None:
    called = {judged(run) for _, _, job in jobs() for run in commands(job)}
    assert {"make check", "make test", "shopsphere policy check", "shopsphere preview", "shopsphere report preview",
            "shopsphere drift", "shopsphere report drift"} <= called  # fmt: skip


@pytest.mark.requirement("each job has the least rights, a bound in time, and pinned actions")
def test_jobs_have_the_least_rights() -> None:
    assert {(file, name) for file, name, _ in jobs()} == set(WRITES)
    for file in WORKFLOWS:
        assert document(file)["permissions"] == {"contents": "read"}
        assert "secrets." not in file.read_text(), "GitHub holds no credential of a jurisdiction"
        assert "pull_request_target" not in document(file)[True]  # YAML reads the key `on` as a truth value
        for used in re.findall(r"uses: (\S+)", file.read_text()):
            assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}", used), f"{used}: a tag can be moved, a commit cannot"
    for file_name, name, job in jobs():
        granted = job.get("permissions", {"contents": "read"})
        assert granted == {"contents": "read", **dict.fromkeys(WRITES[file_name, name], "write")}
        assert 0 < job["timeout-minutes"] <= 180
        checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        assert [step["with"]["persist-credentials"] for step in checkouts] == [False]


@pytest.mark.requirement("no credential crosses a jurisdiction, and no stranger's program comes near one")
def test_runners_are_of_one_jurisdiction_and_never_for_forks() -> None:
    model = load_topology()
    home = {name: model.jurisdiction_of(pair.primary) for name, pair in model.pairs.items()}
    wanted = {**home, "hq": HEADQUARTERS, "edge": HEADQUARTERS}
    for file, name in (("preview", "preview"), ("drift", "drift")):
        (job,) = [job for found, each, job in jobs() if (found, each) == (file, name)]
        entries = {each["target"]: each["jurisdiction"] for each in job["strategy"]["matrix"]["include"]}
        assert entries == wanted
        assert job["runs-on"][-1] == "shopsphere-${{ matrix.jurisdiction }}"
        assert job["environment"] == f"{name}-${{{{ matrix.jurisdiction }}}}"
    (preview,) = [job for _, name, job in jobs() if name == "preview"]
    assert preview["if"].endswith(f"&& {ONLY_OWN}")
    for path in WORKFLOWS:
        if "pull_request" in document(path)[True]:
            own = [job for _, name, job in jobs(path) if "self-hosted" in job["runs-on"] and name != "preview"]
            assert all("github.event_name ==" in job["if"] for job in own)


def test_the_comment_runs_nothing_of_the_pull_request_and_has_every_preview() -> None:
    by_name = {name: job for _, name, job in jobs()}
    checkout = by_name["comment"]["steps"][0]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    targets = [each["target"] for each in by_name["preview"]["strategy"]["matrix"]["include"]]
    (told,) = [run for run in commands(by_name["comment"]) if " report " in run]
    assert [f"previews/{target}.txt" in told for target in targets] == [True] * len(targets)


def test_drift_is_reported_whatever_its_exit_code() -> None:
    (job,) = [job for _, name, job in jobs() if name == "drift"]
    assert job["steps"][-1]["if"] == "always()"
    assert " report drift " in job["steps"][-1]["run"]
    assert "--diff" not in "".join(run for _, _, each in jobs() for run in commands(each)), "values stay where they are"


def test_the_example_for_gitlab_calls_verbs_that_exist() -> None:
    called = {judged(run) for run in gitlab_commands()}
    assert {"make check", "shopsphere policy check", "shopsphere preview", "shopsphere drift"} <= called


def test_the_page_names_every_workflow() -> None:
    page = (REPOSITORY / "docs/ci.md").read_text()
    assert [file.name for file in WORKFLOWS if f"`{file.name}`" not in page] == []
