"""Pulumi itself, run by hand in each deployed project."""

import subprocess

import pytest
from lab_access import Lab

from shopsphere.foundation.paths import REPOSITORY

PROJECTS = [
    ("rdc-a", "stacks/rdc-a", "lab-frankfurt"),
    ("rdc-a", "stacks/rdc-a", "lab-dublin"),
    ("rdc-b", "stacks/rdc-b", "lab-ashburn"),
    ("rdc-b", "stacks/rdc-b", "lab-chicago"),
    ("edge", ".", "lab"),
]


def by_hand(environment: str, folder: str, *words: str) -> subprocess.CompletedProcess[str]:
    script = (
        f'eval "$({REPOSITORY}/.venv/bin/shopsphere env {environment})" && cd {REPOSITORY / folder} && '
        + " ".join(words)
    )
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.requirement("`pulumi preview --expect-no-changes` passes in every deployed project, by hand")
@pytest.mark.parametrize(("environment", "folder", "stack"), PROJECTS)
def test_preview_expects_no_changes(lab: Lab, environment: str, folder: str, stack: str) -> None:
    done = by_hand(environment, folder, f"pulumi preview -s {stack} --expect-no-changes --non-interactive")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.requirement("drift in DNS is visible to refresh")
def test_refresh_sees_a_clean_edge(lab: Lab) -> None:
    done = by_hand("edge", ".", "pulumi refresh -s lab --preview-only --expect-no-changes --non-interactive")
    assert done.returncode == 0, done.stdout + done.stderr
