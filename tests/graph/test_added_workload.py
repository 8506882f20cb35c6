"""A new workload is one entry in the table and its sizes: everything else follows, and nothing else changes."""

from dataclasses import replace
from functools import partial
from typing import Any

import pulumi
import pytest
from event_log_stack import without_event_log
from site_graph import build, complete_config

import components.site
from shopsphere.deploy.declared_graph import Graph
from shopsphere.estate.databases import COMMERCE, DATABASES, LEDGER
from shopsphere.estate.site_declaration import DeclarationError, SiteDeclaration
from shopsphere.estate.workload_declaration import Process, WorkloadDeclaration
from shopsphere.estate.workloads import GATEWAY, PAYMENTS, WORKLOADS

PARCELS = WorkloadDeclaration(
    name="parcels",
    data_class="fulfilment",
    owner="logistics",
    power_percent=5,
    ports=(8012,),
    priority="background",
    image="parcels",
    calls=(PAYMENTS,),
    endpoints=("headquarters",),
    process=Process(
        command=("shop", "parcels"),
        settings=lambda surroundings: {"PAYMENTS_URL": PAYMENTS.url, "BACK": surroundings.public_url},
        secrets={"PARCELS_KEY": "sessionSecret"},
        ready_path="/warm",
        startup_seconds=120,
    ),
)
SIZES = {"replicas": 2, "cpu": "500m", "memory": "512Mi"}
LABELS = {
    "app.kubernetes.io/name": "parcels",
    "app.kubernetes.io/part-of": "shopsphere",
    "app.kubernetes.io/managed-by": "pulumi",
    "shopsphere.io/site": "frankfurt",
    "shopsphere.io/jurisdiction": "eu",
    "shopsphere.io/owner": "logistics",
    "shopsphere.io/data-class": "fulfilment",
}


def config_with(sizes: dict[str, Any] | None = SIZES) -> dict[str, Any]:
    """Return the configuration of Frankfurt in the lab with the sizes of the new workload, and its image."""
    config = without_event_log(complete_config("rdc-a", "lab-frankfurt"))
    config["shopsphere:images"]["parcels"] = "localhost/shopsphere/parcels:1"
    if sizes:
        config["shopsphere:workloads"]["parcels"] = sizes
    return config


def build_with(entry: WorkloadDeclaration, config: dict[str, Any]) -> Graph:
    """Build a stack whose program takes a table with one more entry."""
    site = SiteDeclaration((*WORKLOADS, entry), DATABASES)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(components.site, "build_regional_site", partial(components.site.build_regional_site, site))
        return build("rdc-a", "lab-frankfurt", config)


@pytest.fixture(scope="module")
def added() -> Graph:
    return build_with(PARCELS, config_with())


def test_nothing_else_comes_or_changes(added: Graph) -> None:
    without = build("rdc-a", "lab-frankfurt", without_event_log(complete_config("rdc-a", "lab-frankfurt")))
    before = {each.key: each.state for each in without.objects}
    after = {each.key: each.state for each in added.objects}
    assert [key for key in before if after.get(key) != before[key]] == []
    assert set(after) - set(before) == {
        ("Namespace", None, "parcels"),
        ("ResourceQuota", "parcels", "power"),
        ("ResourceQuota", "parcels", "objects"),
        ("LimitRange", "parcels", "power"),
        ("NetworkPolicy", "parcels", "default-deny"),
        ("NetworkPolicy", "parcels", "to-dns"),
        ("NetworkPolicy", "parcels", "to-payments"),
        ("NetworkPolicy", "payments", "from-parcels"),
        ("NetworkPolicy", "parcels", "to-headquarters"),
        ("Secret", "parcels", "parcels-settings"),
        ("Deployment", "parcels", "parcels"),
        ("Service", "parcels", "parcels"),
        ("PodDisruptionBudget", "parcels", "parcels"),
        ("RoleBinding", "parcels", "site-drift"),
        ("RoleBinding", "parcels", "site-operate"),
    }


def test_the_namespace_has_the_labels_and_the_share_of_power(added: Graph) -> None:
    (labels,) = [each.labels for each in added.of("Namespace") if each.name == "parcels"]
    assert LABELS.items() <= labels.items()
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    # 150 kW, less 8 nodes of 120 W, are 149,040 W for pods; 5 % of these.
    assert added.get("ResourceQuota", "parcels", "power")["spec"]["hard"] == {"requests.shopsphere.io/watts": "7452"}


def test_it_may_reach_what_it_names_and_nobody_may_reach_it(added: Graph) -> None:
    def spec(namespace: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = added.get("NetworkPolicy", namespace, name)["spec"]
        return found

    def pods_of(namespace: str) -> list[dict[str, Any]]:
        return [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}]

    assert spec("parcels", "to-payments") == {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [{"ports": [{"port": 8001, "protocol": "TCP"}], "to": pods_of("payments")}],
    }
    assert spec("payments", "from-parcels") == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"port": 8001, "protocol": "TCP"}], "from": pods_of("parcels")}],
    }
    assert spec("parcels", "to-headquarters")["egress"] == [
        {"ports": [{"port": 443, "protocol": "TCP"}], "to": [{"ipBlock": {"cidr": "10.99.0.40/32"}}]}
    ]


def test_its_pods_run_what_the_entry_says(added: Graph) -> None:
    deployment = added.get("Deployment", "parcels", "parcels")
    assert deployment["metadata"]["labels"] == LABELS
    assert deployment["spec"]["replicas"] == 2
    pod = deployment["spec"]["template"]["spec"]
    assert pod["priorityClassName"] == "shopsphere-background"
    assert "initContainers" not in pod
    assert [volume["name"] for volume in pod["volumes"]] == ["tmp"]
    (container,) = pod["containers"]
    assert container["image"] == "localhost/shopsphere/parcels:1"
    assert container["command"] == ["shop", "parcels"]
    assert container["ports"] == [{"name": "http", "containerPort": 8012}]
    # 0.5 cores * 12 W + 0.5 GiB * 1.5 W, rounded up.
    assert container["resources"]["requests"] == {"cpu": "500m", "memory": "512Mi", "shopsphere.io/watts": "7"}
    probes = {kind: container[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")}
    assert {kind: probe["httpGet"] for kind, probe in probes.items()} == {
        "startup": {"path": "/livez", "port": 8012},
        "liveness": {"path": "/livez", "port": 8012},
        "readiness": {"path": "/warm", "port": 8012},
    }
    assert probes["startup"]["failureThreshold"] * probes["startup"]["periodSeconds"] == 120
    assert probes["readiness"]["failureThreshold"] * probes["readiness"]["periodSeconds"] > 15, "a change of role"
    settings = {each["name"]: each.get("value") for each in container["env"]}
    assert settings["SHOP_SITE"] == "frankfurt"
    assert settings["PAYMENTS_URL"] == "http://payments.payments.svc.cluster.local:80"
    assert settings["BACK"] == "https://www.shopsphere.test"
    assert not [name for name in settings if name.endswith(("_DSN", "_PASSWORD"))]
    (secret,) = [each for each in container["env"] if "valueFrom" in each]
    assert secret["name"] == "PARCELS_KEY"
    assert secret["valueFrom"]["secretKeyRef"] == {"name": "parcels-settings", "key": "PARCELS_KEY"}


def test_its_service_and_its_disruption_budget_follow(added: Graph) -> None:
    assert added.get("Service", "parcels", "parcels")["spec"] == {
        "selector": {"app.kubernetes.io/name": "parcels"},
        "ports": [{"name": "http", "port": 80, "targetPort": 8012}],
    }
    assert added.get("PodDisruptionBudget", "parcels", "parcels")["spec"] == {
        "maxUnavailable": 1,
        "selector": {"matchLabels": {"app.kubernetes.io/name": "parcels"}},
    }


def test_a_workload_with_a_database_gets_its_address_and_the_way_to_it() -> None:
    graph = build_with(replace(PARCELS, databases=(COMMERCE,), calls=(), endpoints=()), config_with())
    (container,) = graph.get("Deployment", "parcels", "parcels")["spec"]["template"]["spec"]["containers"]
    settings = {each["name"]: each for each in container["env"]}
    assert settings["COMMERCE_DSN"]["value"] == (
        "postgresql://shop_app@commerce.data-commerce.svc.cluster.local:5432/commerce"
        "?sslmode=verify-full&sslrootcert=/etc/shopsphere/pair/ca.crt"
    )
    assert "valueFrom" in settings["COMMERCE_PASSWORD"]
    mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert mounted == {"tmp": "/tmp", "pair-authority": "/etc/shopsphere/pair"}
    (way,) = graph.get("NetworkPolicy", "data-commerce", "from-parcels")["spec"]["ingress"]
    assert way["ports"] == [{"port": 5432, "protocol": "TCP"}]


@pytest.mark.requirement("each program logs in to a database as a role that may do its work alone")
def test_a_workload_logs_in_as_its_login_and_has_the_password_of_no_other_one() -> None:
    config = config_with()
    graph = build_with(replace(PARCELS, databases=(COMMERCE,), login="recommend", calls=(), endpoints=()), config)
    (container,) = graph.get("Deployment", "parcels", "parcels")["spec"]["template"]["spec"]["containers"]
    settings = {each["name"]: each for each in container["env"]}
    assert settings["COMMERCE_DSN"]["value"].startswith("postgresql://recommend_app@commerce.data-commerce.svc.")
    held = graph.get("Secret", "parcels", "parcels-settings")["stringData"]["value"]
    assert held["COMMERCE_PASSWORD"] == config["shopsphere:commerceRecommendPassword"]


def test_a_stack_without_its_sizes_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match=r"shopsphere:workloads\.parcels\n    expected: an entry"):
        build_with(PARCELS, config_with(sizes=None))


def test_sizes_without_an_entry_are_refused() -> None:
    with pytest.raises(pulumi.RunError, match=r"workloads\.parcels\n    expected: one of shop, payments, gateway, "):
        build("rdc-a", "lab-frankfurt", config_with())


@pytest.mark.requirement("limits: racks and power of a site")
def test_shares_of_power_that_leave_nothing_are_refused() -> None:
    assert SiteDeclaration((*WORKLOADS, replace(PARCELS, power_percent=7)), DATABASES)
    with pytest.raises(DeclarationError, match=r"(?s)total under 100 %.*100 %: shop 40 %.*parcels 8 %"):
        SiteDeclaration((*WORKLOADS, replace(PARCELS, power_percent=8)), DATABASES)


STRANGER = replace(PARCELS, name="stranger", calls=(), endpoints=())
ORDINARY = PARCELS.process or Process(())


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (replace(PARCELS, calls=(STRANGER,)), "found:    stranger"),
        (replace(PARCELS, calls=(PAYMENTS, PAYMENTS)), "found:    payments"),
        (replace(PARCELS, process=replace(ORDINARY, secrets={"KEY": "unheardOf"})), "found:    unheardOf"),
        (replace(PARCELS, name="shop"), "found:    more than one shop"),
        (replace(PARCELS, ports=()), "workload parcels has no port"),
        (replace(PARCELS, process=None), "workload parcels has no process"),
        (replace(PARCELS, databases=(LEDGER,), login="insight"), "one of its logins: service\n.*found:    insight"),
    ],
    ids=["calls a stranger", "calls twice", "unknown secret", "a name taken", "no port", "no process", "no such login"],
)
def test_an_entry_that_does_not_fit_is_refused(entry: WorkloadDeclaration, said: str) -> None:
    with pytest.raises(DeclarationError, match=f"(?s){said}"):
        SiteDeclaration((*WORKLOADS, entry), DATABASES)


def test_a_database_of_another_site_is_refused() -> None:
    with pytest.raises(DeclarationError, match="found:    ledger"):
        SiteDeclaration((PAYMENTS,), (COMMERCE,))


def test_the_gateway_alone_is_open_to_customers() -> None:
    assert [workload.name for workload in WORKLOADS if workload.open_to_customers] == [GATEWAY.name]
