"""Pulumi itself, run by hand in each deployed project."""

import dataclasses
import subprocess

import pytest
from lab_access import Lab

from lab.edge.components import lab_settings
from shopsphere.clients.edge_identity import DEPLOYER, EdgeIdentity
from shopsphere.clients.powerdns import DnsAuthority, connect_to
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import Topology

PROJECTS = [
    ("rdc-a", "stacks/rdc-a", "lab-frankfurt"),
    pytest.param("rdc-a", "stacks/rdc-a", "lab-dublin", marks=pytest.mark.long),  # the project's other stack
    pytest.param("rdc-b", "stacks/rdc-b", "lab-ashburn", marks=pytest.mark.long),
    ("rdc-b", "stacks/rdc-b", "lab-chicago"),
    ("edge", ".", "lab"),
]


def by_hand(environment: str, folder: str, *words: str) -> subprocess.CompletedProcess[str]:
    script = (
        f'eval "$({REPOSITORY}/.venv/bin/shopsphere env {environment})" && cd {REPOSITORY / folder} && '
        + " ".join(words)
    )
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=900, check=False)


@pytest.mark.requirement("`pulumi preview --expect-no-changes` passes in every deployed project, by hand")
@pytest.mark.parametrize(("environment", "folder", "stack"), PROJECTS)
def test_preview_expects_no_changes(lab: Lab, environment: str, folder: str, stack: str) -> None:
    done = by_hand(environment, folder, f"pulumi preview -s {stack} --expect-no-changes --non-interactive")
    assert done.returncode == 0, done.stdout + done.stderr


REFRESH = "pulumi refresh -s lab --preview-only --expect-no-changes --diff --non-interactive"


def authority(name: str) -> DnsAuthority:
    settings = lab_settings()
    url = f"https://{settings.authorities[name]}:{settings.dns_api_port}"
    return connect_to([(name, url)], EdgeIdentity(settings.edge_keys, DEPLOYER))[0]


@pytest.mark.requirement("drift in DNS is visible to refresh")
def test_refresh_sees_a_record_that_was_changed_by_hand(lab: object, topology: Topology) -> None:
    server, zone, name = authority("ns2"), f"{topology.domain}.", f"sydney.{topology.domain}."
    before = server.rrset(zone, name, "A")
    assert before
    assert before.records == ("10.99.0.32",)
    server.replace(zone, [dataclasses.replace(before, records=("10.99.0.99",))])
    try:
        drifted = by_hand("edge", ".", REFRESH)
    finally:
        server.replace(zone, [before])
    assert drifted.returncode != 0, drifted.stdout
    assert name in drifted.stdout
    assert "10.99.0.99" in drifted.stdout
    clean = by_hand("edge", ".", REFRESH)
    assert clean.returncode == 0, clean.stdout + clean.stderr
