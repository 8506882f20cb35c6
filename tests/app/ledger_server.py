"""A real server that holds the ledger alone, as CloudNativePG leaves it, asked through psql as in its pod."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable

import psycopg
from postgres_cluster import Cluster
from shop_processes import migrate

from shopsphere.clients.postgres_inventory import Inventory, take_inventory
from shopsphere.drift.database_declared import DeclaredServer
from shopsphere.drift.database_judging import Place, judge_server
from shopsphere.drift.model import Drift
from shopsphere.drift.repair import Repair
from shopsphere.estate.databases import LEDGER
from shopsphere.estate.kubectl_line import SiteKubectl

OPERATORS = (
    "CREATE ROLE streaming_replica LOGIN REPLICATION",
    "CREATE ROLE cnpg_metrics_exporter LOGIN",
    "GRANT pg_monitor TO cnpg_metrics_exporter",
    "ALTER ROLE ledger PASSWORD 'of-the-test'",
    "ALTER ROLE payments_app PASSWORD 'of-the-service'",
    *(
        f"GRANT EXECUTE ON FUNCTION pg_catalog.{name} TO streaming_replica"
        for name in (
            "pg_ls_dir(text, boolean, boolean)",
            "pg_stat_file(text, boolean)",
            "pg_read_binary_file(text)",
            "pg_read_binary_file(text, bigint, bigint, boolean)",
        )
    ),
)
"""What CloudNativePG 1.30 does in a new server (run.go, metrics_exporter_role.go), by hand."""
REPLICATION = "cert map=cnpg_streaming_replica"
RULES = f"""
local all cnpg_metrics_exporter peer map=cnpg_metrics_exporter
local all all peer map=local
hostssl postgres streaming_replica all {REPLICATION}
hostssl replication streaming_replica all {REPLICATION}
hostssl all cnpg_pooler_pgbouncer all cert map=cnpg_pooler_pgbouncer
host all all all scram-sha-256
"""
MAPS = """
local postgres postgres
cnpg_streaming_replica streaming_replica streaming_replica
cnpg_pooler_pgbouncer cnpg_pooler_pgbouncer cnpg_pooler_pgbouncer
cnpg_metrics_exporter postgres cnpg_metrics_exporter
"""
REPAIR = Repair("frankfurt", "lab", SiteKubectl("/kubeconfigs/frankfurt.yaml", "frankfurt"))


class Pod:
    """The way into an instance's pod, but the program runs here and finds the server by its port."""

    context = "frankfurt"

    def __init__(self, cluster: Cluster) -> None:
        self._where = {
            "PGHOST": "127.0.0.1", "PGPORT": str(cluster.port), "PGUSER": "postgres", "PGDATA": str(cluster.data),
        }  # fmt: skip

    def execute(
        self,
        _namespace: str,
        _pod: str,
        _container: str,
        command: list[str],
        *,
        extra_seconds: float,
        heard: Callable[[str], None],
    ) -> str:
        environment = {**os.environ, **self._where}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=30 + extra_seconds, check=False
        )
        assert done.returncode == 0, done.stderr
        heard(done.stdout)
        return done.stdout


def inventory(cluster: Cluster, database: str) -> Inventory:
    return take_inventory(Pod(cluster), "data", "pod-1", database)  # type: ignore[arg-type]


class LedgerServer:
    """The server; what findings say of settings' values is left out, which belong to CloudNativePG's pods."""

    def __init__(self) -> None:
        self.cluster = Cluster()
        done = migrate("ledger", self.cluster)
        assert done.returncode == 0, done.stderr
        roles = ("commerce", "shop_app", "insight_app", "recommend_app", "export_app")
        for statement in ("DROP DATABASE commerce", *(f"DROP ROLE {each}" for each in roles), *OPERATORS):
            self.cluster.admin(statement)
        # Not loaded: the server goes on as it is, and pg_hba_file_rules says what stands in the file.
        self.write_rules(RULES)
        (self.cluster.data / "pg_ident.conf").write_text(MAPS)
        body = {"metadata": {"annotations": {}}, "spec": {"externalClusters": []}}
        self.declared = DeclaredServer(LEDGER, "ledger-frankfurt", "ledger-dublin", body)

    def write_rules(self, text: str) -> None:
        (self.cluster.data / "pg_hba.conf").write_text(text)

    def findings(self) -> list[Drift]:
        place = Place(self.declared, "ledger-frankfurt-1", REPAIR, leads=True)
        found = judge_server(place, inventory(self.cluster, "ledger"))
        return [each for each in found if ": setting " not in each.object or each.field]

    def run(self, database: str, statements: str) -> None:
        where = f"postgresql://postgres@127.0.0.1:{self.cluster.port}/{database}"
        with psycopg.connect(where, autocommit=True) as connection:
            for statement in statements.split(";;"):
                connection.execute(statement)

    def repair(self, drift: Drift) -> None:
        """Run what a finding says in the database's pod, but here."""
        words = shlex.split(drift.repair)
        assert words[:2] == ["kubectl", "--kubeconfig"], drift.repair
        # Nothing is loaded: the rules stand in the file to be read, and would let nobody in.
        inside = [each.replace("pg_reload_conf()", "1") for each in words[words.index("--") + 1 :]]
        Pod(self.cluster).execute("data", "pod-1", "postgres", inside, extra_seconds=0, heard=lambda _: None)
