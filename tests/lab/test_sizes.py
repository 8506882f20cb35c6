"""A size that cannot change is refused, a rebuild gives it, and a copy that is broken is replaced by a rebuild."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_access import Lab
from lab_command import shopsphere
from moving_pair import PRIMARY, RECOVERY, record

from lab.cluster.addons import kubectl
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.estate.stack_files import base_file
from shopsphere.foundation.clock import wait_until
from shopsphere.topology import load_topology
from shopsphere.witness import Sync, Witness

pytestmark = pytest.mark.long
LEDGER = f"ledger-{RECOVERY}"


@pytest.fixture
def stack_file(lab: Lab, witness: Witness) -> Iterator[Path]:
    """The recovery site's committed file; as it was afterwards, and the site's databases too."""
    file = base_file(site_stack(load_topology(), RECOVERY, Environment.LAB))
    text = file.read_text()
    yield file
    file.write_text(text)
    lab("lab", "free-volumes", RECOVERY)
    rebuild()
    lab("lab", "free-volumes", RECOVERY)
    wait_until(lambda: record(witness).sync is Sync.ON, what="the witness to say sync on", seconds=120, interval=1)


def rebuild() -> None:
    shopsphere("rebuild", RECOVERY, "--execute", "--reason", "a test of sizes and broken copies", seconds=900)


def enlarge(file: Path) -> None:
    before = file.read_text()
    file.write_text(before.replace("ledger: {size: 1Gi", "ledger: {size: 2Gi"))
    assert file.read_text() != before


def ledger() -> tuple[str, str]:
    """Size that the cluster asks for, and its identity."""
    found = json.loads(
        kubectl(RECOVERY, "get", "clusters.postgresql.cnpg.io", "-n", "data-ledger", LEDGER, "-o", "json")
    )
    return found["spec"]["storage"]["size"], found["metadata"]["uid"]


@pytest.mark.requirement("a size that cannot change is refused at preview, with the way that works; that way works")
def test_a_larger_ledger(stack_file: Path, witness: Witness) -> None:
    size, old = ledger()
    enlarge(stack_file)
    for verb in (["preview", RECOVERY], ["up", RECOVERY, "--verify-seconds", "0"]):
        refused = shopsphere(*verb, check=False, seconds=300)
        assert refused.code == 1
        assert "cannot change in place" in refused.stderr
        assert f"rebuild {RECOVERY}" in " ".join(refused.stderr.split())
    assert ledger() == (size, old)
    rebuild()
    assert ledger()[0] == "2Gi"
    assert ledger()[1] != old
    wait_until(lambda: record(witness).sync is Sync.ON, what="the witness to say sync on", seconds=120, interval=1)
    shopsphere("up", RECOVERY, seconds=600)
    assert record(witness).active == PRIMARY


@pytest.mark.requirement("rebuild replaces a copy that is broken, also one that follows on paper")
def test_a_copy_whose_pod_finds_no_volume(stack_file: Path, witness: Witness) -> None:
    assert stack_file.exists()
    _, old = ledger()
    # What an older version let through: the size grows on paper, and the next pod finds no volume.
    kubectl(RECOVERY, "patch", "clusters.postgresql.cnpg.io", "-n", "data-ledger", LEDGER, "--type=merge",
            "-p", json.dumps({"spec": {"storage": {"size": "2Gi"}}}))  # fmt: skip
    kubectl(RECOVERY, "delete", "pod", "-n", "data-ledger", "-l", f"cnpg.io/cluster={LEDGER}", "--wait=false")
    wait_until(lambda: record(witness).sync is Sync.OFF, what="the witness to say sync off", seconds=60, interval=1)
    rebuild()
    assert ledger()[0] == "1Gi"
    assert ledger()[1] != old
    wait_until(lambda: record(witness).sync is Sync.ON, what="the witness to say sync on", seconds=120, interval=1)
