"""The databases of every pair: two members that can take either role."""

from typing import Any

import pytest
from site_graph import GraphOf, SiteGraph

from shopsphere.topology import Pair, load_topology

TOPOLOGY = load_topology()
PAIRS = [(pair, environment) for pair in TOPOLOGY.pairs.values() for environment in ("lab", "prod")]

Members = tuple[Pair, dict[str, dict[str, dict[str, Any]]]]
"""A pair, and the objects of its members by database and site."""


@pytest.fixture(params=PAIRS, ids=lambda each: f"{each[1]}-{each[0].name}")
def members(request: pytest.FixtureRequest, graph_of: GraphOf) -> Members:
    """(pair, spec at the primary, spec at the recovery site, by database)."""
    pair, environment = request.param
    graphs = {site: graph_of(pair.name, f"{environment}-{site}") for site in pair.sites}
    return pair, {
        database: {
            site: graph.get("Cluster", f"data-{database}", f"{database}-{site}") for site, graph in graphs.items()
        }
        for database in ("commerce", "ledger")
    }


def test_a_stale_up_leaves_the_roles_alone(regional: SiteGraph) -> None:
    _, _, graph = regional
    for cluster in graph.of("Cluster"):
        assert {"spec.replica", "spec.postgresql.synchronous"} <= set(cluster.ignored)


def test_both_members_know_the_same_two_places(members: Members) -> None:
    pair, databases = members
    for database, clusters in databases.items():
        first, second = (clusters[site]["spec"] for site in pair.sites)
        assert [each["name"] for each in first["externalClusters"]] == sorted(f"{database}-{s}" for s in pair.sites)
        assert first["externalClusters"] == second["externalClusters"]


def test_the_recovery_site_copies_the_primary(members: Members) -> None:
    pair, databases = members
    for database, clusters in databases.items():
        primary, recovery = clusters[pair.primary]["spec"], clusters[pair.recovery]["spec"]
        assert "initdb" in primary["bootstrap"]
        assert recovery["bootstrap"]["pg_basebackup"]["source"] == f"{database}-{pair.primary}"
        assert primary["replica"] == {
            "self": f"{database}-{pair.primary}",
            "primary": f"{database}-{pair.primary}",
            "source": f"{database}-{pair.recovery}",
        }
        assert recovery["replica"] == {
            "self": f"{database}-{pair.recovery}",
            "primary": f"{database}-{pair.primary}",
            "source": f"{database}-{pair.primary}",
        }


def test_an_archive_is_looked_into_only_where_there_is_one(
    members: Members,
) -> None:
    pair, databases = members
    for clusters in databases.values():
        primary = clusters[pair.primary]
        archive = "cnpg.io/skipWalArchiving" not in primary["metadata"]["annotations"]
        assert ("postInitSQL" not in primary["spec"]["bootstrap"]["initdb"]) is archive


@pytest.mark.requirement("payments: 100 % exact; RPO 0 for the ledger")
def test_only_the_ledger_waits_and_only_at_the_primary(
    members: Members,
) -> None:
    pair, databases = members
    assert databases["ledger"][pair.primary]["spec"]["postgresql"]["synchronous"]["standbyNamesPre"] == [
        f"ledger-{pair.recovery}"
    ]
    others = [databases["ledger"][pair.recovery], *databases["commerce"].values()]
    assert not [each for each in others if "synchronous" in each["spec"]["postgresql"]]


@pytest.mark.requirement("services log into the databases as roles that own nothing")
def test_each_service_has_a_login_that_the_operator_makes_of_its_role(members: Members) -> None:
    _, databases = members
    roles = {
        "commerce": {
            "shop_app": "commerce-service", "insight_app": "commerce-insight", "recommend_app": "commerce-recommend",
            "export_app": "commerce-export",
        },
        "ledger": {"payments_app": "ledger-service"},
    }  # fmt: skip
    for name, clusters in databases.items():
        for cluster in clusters.values():
            assert cluster["spec"]["managed"]["roles"] == [
                {
                    "name": role,
                    "ensure": "present",
                    "login": True,
                    "inherit": True,
                    "connectionLimit": -1,
                    "passwordSecret": {"name": secret},
                }
                for role, secret in roles[name].items()
            ]


@pytest.mark.requirement("services log into the databases as roles that own nothing")
def test_roles_are_made_with_the_database_and_the_owner_is_a_member_of_one(members: Members) -> None:
    pair, databases = members
    made = {
        name: clusters[pair.primary]["spec"]["bootstrap"]["initdb"]["postInitApplicationSQL"]
        for name, clusters in databases.items()
    }
    assert made == {
        "commerce": [
            "CREATE ROLE shop_app NOLOGIN",
            "CREATE ROLE insight_app NOLOGIN",
            "CREATE ROLE recommend_app NOLOGIN",
            "CREATE ROLE export_app NOLOGIN",
            "GRANT shop_app TO commerce",
        ],
        "ledger": ["CREATE ROLE payments_app NOLOGIN", "GRANT payments_app TO ledger"],
    }


@pytest.mark.requirement("services log into the databases as roles that own nothing")
def test_each_login_has_a_secret_with_a_password_of_its_own(regional: SiteGraph) -> None:
    _, _, graph = regional
    contents = {str(each.key[2]): each.state["stringData"]["value"] for each in graph.of("Secret")}
    found = {name: each for name, each in contents.items() if "username" in each}
    assert {name: each["username"] for name, each in found.items()} == {
        "commerce-owner": "commerce",
        "commerce-service": "shop_app",
        "commerce-insight": "insight_app",
        "commerce-recommend": "recommend_app",
        "commerce-export": "export_app",
        "ledger-owner": "ledger",
        "ledger-service": "payments_app",
    }
    assert len({each["password"] for each in found.values()}) == len(found)


@pytest.mark.requirement("no password goes to a database in clear")
def test_a_database_takes_no_connection_without_tls(regional: SiteGraph) -> None:
    _, _, graph = regional
    for cluster in graph.of("Cluster"):
        assert cluster.state["spec"]["postgresql"]["pg_hba"][0] == "hostnossl all all all reject"


def test_connections_are_encrypted_and_give_up_soon(regional: SiteGraph) -> None:
    _, _, graph = regional
    for cluster in graph.of("Cluster"):
        for external in cluster.state["spec"]["externalClusters"]:
            parameters = external["connectionParameters"]
            assert parameters["sslmode"] == "verify-ca"
            assert int(parameters["connect_timeout"]) <= 5
            # What only libpq knows would be handed to the server by the Go client that takes the first copy.
            assert not [key for key in parameters if key.startswith(("keepalives", "tcp_"))]


def test_both_sites_have_the_same_secrets(graph_of: GraphOf) -> None:
    for pair in TOPOLOGY.pairs.values():
        first, second = (
            {each.key: each.state["stringData"] for each in graph_of(pair.name, f"lab-{site}").of("Secret")}
            for site in pair.sites
        )
        assert first == second


def test_storage_is_of_this_site_and_this_class(regional: SiteGraph) -> None:
    _, name, graph = regional
    for cluster in graph.of("Cluster"):
        storage = cluster.state["spec"]["storage"]
        assert storage["storageClass"] == f"{name}-pinned"
        assert storage["pvcTemplate"]["selector"]["matchLabels"] == {
            "shopsphere.io/data-class": cluster.labels["shopsphere.io/data-class"]
        }


def test_every_claim_of_a_first_rollout_finds_a_volume(regional: SiteGraph) -> None:
    _, _, graph = regional
    volumes = [each.labels["shopsphere.io/data-class"] for each in graph.of("PersistentVolume")]
    for cluster in graph.of("Cluster"):
        for _ in range(int(cluster.state["spec"]["instances"])):
            volumes.remove(cluster.labels["shopsphere.io/data-class"])


def test_failover_does_not_wait_for_defaults(regional: SiteGraph) -> None:
    _, _, graph = regional
    for cluster in graph.of("Cluster"):
        spec = cluster.state["spec"]
        assert (spec["switchoverDelay"], spec["smartShutdownTimeout"]) == (20, 1)
        parameters = spec["postgresql"]["parameters"]
        assert parameters["max_standby_streaming_delay"] == "1s"
        assert parameters["wal_sender_timeout"] == parameters["wal_receiver_timeout"] == "5s", "agents reckon with both"
        lease = spec["primaryLease"]
        assert lease["leaseDurationSeconds"] > lease["renewDeadlineSeconds"] > 1.2 * lease["retryPeriodSeconds"]


def test_the_peer_reaches_the_database_at_its_own_port(
    members: Members,
) -> None:
    _, databases = members
    for database, port in (("commerce", 30032), ("ledger", 30033)):
        for cluster in databases[database].values():
            (service,) = cluster["spec"]["managed"]["services"]["additional"]
            assert service["serviceTemplate"]["spec"]["ports"][0]["nodePort"] == port
            assert {each["connectionParameters"]["port"] for each in cluster["spec"]["externalClusters"]} == {str(port)}
