"""The workloads of every regional site, and the ways between them."""

import copy
from typing import Any

import pytest
from site_graph import GraphOf, SiteGraph, build, complete_config

from app.settings import PaymentsSettings, StorefrontSettings
from shopsphere.deploy.declared_graph import Graph
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()


def pods(graph: Graph) -> dict[str, dict[str, Any]]:
    return {each.name: each.state["spec"]["template"]["spec"] for each in graph.of("Deployment")}


def test_every_workload_is_there(regional: SiteGraph) -> None:
    _, _, graph = regional
    of_log = {"collector", "insight", "recommend"} if graph.of("StatefulSet") else set()
    assert set(pods(graph)) == {"shop", "payments", "gateway", "archive-commerce", "archive-ledger"} | of_log
    for name in pods(graph):
        assert graph.get("PodDisruptionBudget", name, name)["spec"]["maxUnavailable"] == 1
        graph.get("Service", name, name)


def test_pods_are_confined(regional: SiteGraph) -> None:
    _, name, graph = regional
    for pod in pods(graph).values():
        assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert pod["nodeSelector"] == {"shopsphere.io/site": name}
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


@pytest.mark.requirement("no downtime in deploys")
def test_a_rollout_keeps_every_request(regional: SiteGraph) -> None:
    _, _, graph = regional
    for deployment in graph.of("Deployment"):
        if not deployment.name.startswith("archive-"):
            assert deployment.state["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        pod = deployment.state["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert container["lifecycle"]["preStop"]
        assert {"readinessProbe", "livenessProbe"} <= set(container)
        assert pod["topologySpreadConstraints"][0]["topologyKey"] == "shopsphere.io/rack"
    for name, pod in pods(graph).items():
        if name != "gateway":
            assert pod["containers"][0]["lifecycle"]["preStop"] == {"sleep": {"seconds": 5}}


@pytest.mark.requirement("two collectors of one database never run at once, also in a rollout")
def test_a_collector_ends_before_the_next_one_starts(regional: SiteGraph) -> None:
    _, _, graph = regional
    found = {each.name: each.state["spec"] for each in graph.of("Deployment") if each.name.startswith("archive-")}
    assert set(found) == {"archive-commerce", "archive-ledger"}
    for spec in found.values():
        assert (spec["strategy"], spec["replicas"]) == ({"type": "Recreate"}, 1)


def test_an_autoscaler_owns_the_number_of_replicas(regional: SiteGraph) -> None:
    _, _, graph = regional
    scaled = {each.name for each in graph.of("HorizontalPodAutoscaler")}
    for deployment in graph.of("Deployment"):
        assert ("replicas" in deployment.state["spec"]) == (deployment.name not in scaled)


def test_the_shop_waits_for_its_database(regional: SiteGraph) -> None:
    _, name, graph = regional
    for workload, database in (("shop", "commerce"), ("payments", "ledger")):
        (schema,) = pods(graph)[workload]["initContainers"]
        assert schema["command"] == ["shop", "await-schema", database]
        settings = {each["name"]: each for each in pods(graph)[workload]["containers"][0]["env"]}
        assert settings["SHOP_SITE"]["value"] == name
        dsn = settings[f"{database.upper()}_DSN"]["value"]
        login = {"commerce": "shop_app", "ledger": "payments_app"}[database]
        assert dsn.startswith(f"postgresql://{login}@{database}.data-{database}.svc.cluster.local:5432/{database}?")
        assert "sslmode=verify-full" in dsn
        assert settings[f"{database.upper()}_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"] == f"{workload}-settings"


@pytest.mark.requirement("migrations run as a Job of their own, as the owner, whose password is in no service's pod")
def test_each_database_is_migrated_beside_it_as_its_owner(regional: SiteGraph) -> None:
    _, name, graph = regional
    for workload, database in (("shop", "commerce"), ("payments", "ledger")):
        job = graph.get("Job", f"data-{database}", f"{database}-migration")
        pod = job["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        settings = {each["name"]: each for each in container["env"]}
        assert container["command"] == ["shop", "migrate", database]
        assert container["image"] == pods(graph)[workload]["containers"][0]["image"]
        assert container["resources"] == pods(graph)[workload]["containers"][0]["resources"]
        assert (settings["SHOP_SITE"]["value"], pod["restartPolicy"]) == (name, "OnFailure")
        dsn = settings[f"{database.upper()}_DSN"]["value"]
        assert dsn.startswith(f"postgresql://{database}@{database}.data-{database}.svc.cluster.local:5432/{database}?")
        password = settings[f"{database.upper()}_PASSWORD"]["valueFrom"]["secretKeyRef"]
        assert password == {"name": f"{database}-owner", "key": "password"}
        assert job["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"


def test_no_service_has_the_owners_password_or_shares_another_services(regional: SiteGraph) -> None:
    _, _, graph = regional
    held: dict[str, dict[str, str]] = {}
    for each in graph.of("Secret"):
        held["/".join(str(part) for part in each.key[1:])] = each.state["stringData"][
            "value"
        ]  # beside it stands that it is a secret
    for workload, database, other in (("shop", "commerce", "ledger"), ("payments", "ledger", "commerce")):
        own = held[f"{workload}/{workload}-settings"]
        assert own[f"{database.upper()}_PASSWORD"] == held[f"data-{database}/{database}-service"]["password"]
        assert held[f"data-{database}/{database}-owner"]["password"] not in own.values()
        assert held[f"data-{other}/{other}-service"]["password"] not in own.values()
        for login in ("insight", "recommend"):
            assert held[f"data-commerce/commerce-{login}"]["password"] not in own.values()
    assert held["shop/shop-settings"]["PAYMENTS_CALL_KEY"] == held["payments/payments-settings"]["PAYMENTS_CALL_KEY"]


def test_no_secret_stands_in_a_pods_environment(regional: SiteGraph) -> None:
    _, _, graph = regional
    for pod in pods(graph).values():
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            for each in container.get("env", []):
                says_so = any(word in each["name"] for word in ("SECRET", "PASSWORD", "_KEY", "REPLICATION_"))
                is_secret = says_so and not each["name"].endswith("_FILE")
                assert is_secret == ("valueFrom" in each)


def ways(graph: Graph, namespace: str, direction: str) -> set[tuple[str | None, int]]:
    """Return (who, port) of everything that the policies of a namespace let through; None is anybody."""
    found: set[tuple[str | None, int]] = set()
    for policy in graph.of("NetworkPolicy"):
        for rule in policy.state["spec"].get(direction, []) if policy.namespace == namespace else []:
            peers = rule.get("from" if direction == "ingress" else "to", [None])
            names = [
                each
                and (
                    each.get("ipBlock", {}).get("cidr") or next(iter(each["namespaceSelector"]["matchLabels"].values()))
                )
                for each in peers
            ]
            found |= {(name, port["port"]) for name in names for port in rule["ports"]}
    return found


DNS = {("kube-system", 53)}


@pytest.mark.requirement("regional data stays in the region's two sites")
def test_the_only_ways_in_and_out(graph_of: GraphOf) -> None:
    for pair in TOPOLOGY.pairs.values():
        for name in pair.sites:
            graph = graph_of(pair.name, f"lab-{name}")
            own, peer = (f"{TOPOLOGY.site(site).address}/32" for site in (name, pair.other_than(name)))
            assert ways(graph, "gateway", "ingress") == {(None, 8443), (None, 8080), (None, 8444)}
            assert ways(graph, "gateway", "egress") == DNS | {("shop", 8000), ("collector", 8010), (own, 8405)}
            assert ways(graph, "shop", "ingress") == {("gateway", 8000)}
            assert ways(graph, "shop", "egress") == DNS | {
                ("payments", 8001), ("recommend", 8011), ("data-commerce", 5432),
            }  # fmt: skip
            assert ways(graph, "collector", "ingress") == {("gateway", 8010)}
            assert ways(graph, "collector", "egress") == DNS | {("kafka", 9092)}
            assert ways(graph, "kafka", "ingress") == {("collector", 9092), ("insight", 9092)}
            assert ways(graph, "kafka", "egress") == DNS
            assert ways(graph, "insight", "ingress") == set()
            assert ways(graph, "insight", "egress") == DNS | {("kafka", 9092), ("data-commerce", 5432)}
            assert ways(graph, "recommend", "ingress") == {("shop", 8011)}
            assert ways(graph, "recommend", "egress") == DNS | {("data-commerce", 5432)}
            assert ways(graph, "payments", "ingress") == {("shop", 8001)}
            assert ways(graph, "payments", "egress") == DNS | {("data-ledger", 5432), ("10.99.0.70/32", 8070)}
            for database, client, port in (("data-commerce", "shop", 30032), ("data-ledger", "payments", 30033)):
                among = {(database, 5432), (database, 8000)}
                operator = {("cnpg-system", 5432), ("cnpg-system", 8000)}
                collector = database.replace("data-", "archive-")
                readers = {("insight", 5432), ("recommend", 5432)} if client == "shop" else set()
                clients = {(client, 5432), (collector, 5432), (peer, 5432), *readers}
                assert ways(graph, database, "ingress") == among | operator | clients
                archive = TOPOLOGY.archive_of(name)
                assert archive
                assert ways(graph, collector, "ingress") == set()
                assert ways(graph, collector, "egress") == DNS | {(database, 5432), (f"{archive.address}/32", 8443)}
                assert ways(graph, database, "egress") == DNS | among | {(own, 6443), (peer, port)}


def test_an_owner_with_an_engine_builds_the_image_and_runs_what_was_pushed() -> None:
    config = copy.deepcopy(complete_config("rdc-a", "prod-frankfurt"))
    config["shopsphere:imageBuild"] = {
        "context": "../..",
        "dockerfile": "../../app/Dockerfile",
        "registry": "registry.example",
        "username": "builder",
    }
    config["shopsphere:registryPassword"] = "password"
    graph = build("rdc-a", "prod-frankfurt", config)
    (image,) = [each for each in graph.resources if each.type.startswith("docker:")]
    # The provider marks the whole registry as secret, so its value is wrapped.
    assert image.state["registry"]["value"]["server"] == "registry.example"
    container = pods(graph)["shop"]["containers"][0]
    assert container["image"] == f"{image.state['imageName']}@sha256:0"


def variables_of(container: dict[str, Any]) -> dict[str, str]:
    """Return a container's variables; a secret has a value that is long enough."""
    return {each["name"]: each.get("value", "0123456789abcdef0123456789abcdef") for each in container["env"]}


@pytest.mark.requirement("the shop's settings are what topology.yaml says, and no variable is one that nobody reads")
def test_the_shop_can_use_what_its_deployment_says(regional: SiteGraph) -> None:
    project, name, graph = regional
    shop = StorefrontSettings.read(variables_of(pods(graph)["shop"]["containers"][0]))
    payments = PaymentsSettings.read(variables_of(pods(graph)["payments"]["containers"][0]))
    assert (shop.listen.site, payments.listen.site) == (name, name)
    assert (shop.region.pair, shop.region.currency, shop.region.prices_include_tax, shop.region.order_prefix) == {
        "rdc-a": ("rdc-a", "EUR", True, "E"),
        "rdc-b": ("rdc-b", "USD", False, "U"),
        "rdc-c": ("rdc-c", "SGD", True, "S"),
    }[project]
    (schema,) = pods(graph)["shop"]["initContainers"]
    assert schema["env"] == pods(graph)["shop"]["containers"][0]["env"]
