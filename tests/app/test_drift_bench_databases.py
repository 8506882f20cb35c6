"""The bench's changes inside databases, on a real server after the migrations: each makes what it says, and goes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ledger_server import inventory
from postgres_cluster import Cluster

from shopsphere.clients.postgres_inventory import Inventory
from shopsphere.clients.questions import ADMINISTRATION
from shopsphere.foundation.paths import REPOSITORY

sys.path.append(str(REPOSITORY / "bench" / "drift"))
from acts import Act, Answer
from drift_bench_world import GROUND
from injected_databases import databases
from injections import Injection

Facts = dict[tuple[str, str], str]


class PodHands:
    """What would run in the pod runs here, and finds the server by its port and its folder."""

    def __init__(self, cluster: Cluster) -> None:
        self._where = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(cluster.port),
            "PGUSER": "postgres",
            "PGDATA": str(cluster.data),
        }

    def do(self, act: Act) -> Answer:
        words = act.words[act.words.index("--") + 1 :]
        environment = {**os.environ, **self._where}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
        return Answer(not done.returncode, done.stderr)


def facts(found: Inventory, cluster_name: str, database: str) -> Facts:
    """Return all facts under the names that findings have for their objects."""
    known: Facts = {}
    for place, some in ((ADMINISTRATION, found.server), (database, found.databases[database])):
        prefix = "" if place == ADMINISTRATION else f"{place}: "
        known |= {(f"PostgreSQL {cluster_name}: {prefix}{each.object}", each.field): each.value for each in some}
    return known | {(f"PostgreSQL {cluster_name}: pg_hba.conf", rule): rule for rule in found.rules}


@pytest.mark.parametrize("injection", databases(GROUND), ids=lambda each: f"{each.object}-{each.field}")
def test_a_change_makes_the_fact_that_it_names_and_goes_without_a_trace(injection: Injection, cluster: Cluster) -> None:
    hands = PodHands(cluster)
    name = injection.object.removeprefix("PostgreSQL ").partition(":")[0]
    database = name.partition("-")[0]
    before = facts(inventory(cluster, database), name, database)
    prepared = injection.prepare(hands)
    try:
        answers = [hands.do(act) for act in prepared.do]
        during = facts(inventory(cluster, database), name, database)
    finally:
        undone = [hands.do(act) for act in prepared.undo]
    assert all(each.done for each in (*answers, *undone)), (answers, undone)
    changed = {key for key in {*before, *during} if before.get(key) != during.get(key)}
    of_it = {field for object_, field in changed if object_ == injection.object}
    if injection.field:
        assert injection.field in of_it
    else:  # the object as a whole
        assert of_it
        assert not any(object_ == injection.object for object_, _ in before)
    assert facts(inventory(cluster, database), name, database) == before
