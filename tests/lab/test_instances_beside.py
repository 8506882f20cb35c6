"""Which instance of the ledger may lead inside a site of two nodes; skipped where sites have one node."""

from __future__ import annotations

import json
from contextlib import nullcontext, suppress

import pytest
from lab_command import shopsphere

from lab.cluster.addons import kubectl
from lab.leading import leading_pod
from shopsphere.estate.databases import COMPLETE_COPIES, LEDGER
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.process import CommandError
from shopsphere.topology import load_topology
from shopsphere.witness import Witness

SITE, PAIR = "frankfurt", "rdc-a"
CLUSTER = LEDGER.cluster(SITE)
WORDS = ("-n", LEDGER.namespace.name, "clusters.postgresql.cnpg.io", CLUSTER)


@pytest.fixture(autouse=True)
def of_two_nodes() -> None:
    if len(load_topology(environment="lab").site(SITE).nodes) == 1:
        pytest.skip("the lab's sites have one node; start it with --nodes 2")


def complete_copies() -> str:
    found = json.loads(kubectl(SITE, "get", *WORDS, "-o", "json"))
    return str(found["metadata"].get("annotations", {}).get(COMPLETE_COPIES, ""))


def let_lead(instance: str) -> None:
    """Ask for it as CloudNativePG's operator does; it may be refused."""
    patch = json.dumps({"status": {"targetPrimary": instance}})
    kubectl(SITE, "patch", *WORDS, "--subresource=status", "--type=merge", f"--patch={patch}", check=False)


def sql(statement: str, *, check: bool = True) -> str:
    with nullcontext() if check else suppress(CommandError):  # a pod of a lost node does not answer for long
        done = shopsphere("lab", "psql", SITE, "ledger", "--", "-XAt", "-c", statement, check=check, seconds=60)
        return str(done.stdout).strip() if done.code == 0 else ""
    return ""


def leads(instance: str) -> bool:
    return leading_pod(SITE, "ledger") == instance


def instance_on(node: str) -> str:
    words = ["-n", LEDGER.namespace.name, "-l", f"cnpg.io/cluster={CLUSTER}", "-o", "json"]
    pods = json.loads(kubectl(SITE, "get", "pods", *words))["items"]
    return next(str(pod["metadata"]["name"]) for pod in pods if pod["spec"]["nodeName"] == node)


def named(instance: str, seconds: float) -> None:
    wait_until(lambda: complete_copies() == instance, what=f"{instance} to be a complete copy", seconds=seconds)


@pytest.mark.full
@pytest.mark.requirement("an instance is let lead inside a site only if it has every acknowledged payment")
def test_the_node_with_the_leading_instance_is_lost(first_witness: Witness) -> None:
    stays, goes = instance_on(SITE), instance_on(f"{SITE}-2")
    if leads(stays):
        named(goes, 60)
        let_lead(goes)
        wait_until(lambda: leads(goes), what="the switch inside the site", seconds=90)
    named(stays, 120)
    epoch = first_witness.see().require_record(PAIR).epoch
    sql("create table if not exists lab_beside (n integer)")
    try:
        for number in range(20):
            sql(f"insert into lab_beside values ({number})")
        shopsphere("lab", "power-off", f"{SITE}-2")
        try:
            wait_until(lambda: leads(stays), what="the complete copy to lead", seconds=60)
            wait_until(lambda: not complete_copies(), what="the lost one to be left", seconds=30)
            wait_until(lambda: sql("insert into lab_beside values (20)", check=False), what="a payment", seconds=30)
            assert sql("select count(distinct n) from lab_beside") == "21"
            assert first_witness.see().require_record(PAIR).epoch == epoch, "no other site was promoted"
            let_lead(goes)
            target = json.loads(kubectl(SITE, "get", *WORDS, "-o", "json"))["status"]["targetPrimary"]
            assert target == stays, "the lost one may lack payments"
        finally:
            shopsphere("lab", "power-on", f"{SITE}-2")
        named(goes, 300)
    finally:
        sql("drop table if exists lab_beside")
