"""Every site stack of both environments, as a whole graph."""

import ast
import hashlib

import pytest
from own_authority import authority_of_tests
from site_graph import GraphOf, SiteGraph, committed_stacks

from shopsphere.foundation.paths import STACKS
from shopsphere.topology import load_topology
from shopsphere.topology.power import site_budget

TOPOLOGY = load_topology()
LABELLED = ("Namespace", "Deployment", "PersistentVolume", "Cluster")
LABELS = ("data-class", "jurisdiction", "site", "owner")


def test_every_site_has_a_stack_in_both_environments() -> None:
    expected = {(f"{environment}-{site}") for environment in ("lab", "prod") for site in TOPOLOGY.sites}
    assert {stack for _, stack in committed_stacks()} == expected


def test_every_stack_is_in_the_project_of_its_pair() -> None:
    for project, stack in committed_stacks():
        pair = TOPOLOGY.pair_of(stack.partition("-")[2])
        assert project == (pair.name if pair else "hq")


@pytest.mark.parametrize("project", ["hq", *TOPOLOGY.pairs])
def test_the_programs_wire_and_nothing_else(project: str) -> None:
    text = (STACKS / project / "__main__.py").read_text()
    assert len(text.splitlines()) < 30
    assert not [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def test_every_object_goes_through_the_sites_own_provider(site: SiteGraph) -> None:
    _, name, graph = site
    (provider,) = [each for each in graph.resources if each.type == "pulumi:providers:kubernetes"]
    assert provider.state["clusterIdentifier"] == name
    assert provider.state["enableServerSideApply"] == "true"
    assert "deleteUnreachable" not in provider.state
    assert {each.provider.split("::")[-2] for each in graph.objects} == {name}


def test_residency_facts_are_on_everything_that_holds_data(site: SiteGraph) -> None:
    _, name, graph = site
    for each in graph.objects:
        if each.kind in LABELLED:
            for label in LABELS:
                assert isinstance(each.labels.get(f"shopsphere.io/{label}"), str), each.name
            assert each.labels["shopsphere.io/site"] == name
            jurisdiction = each.labels["shopsphere.io/jurisdiction"]
            assert jurisdiction == TOPOLOGY.jurisdiction_of(name)
            assert name in TOPOLOGY.sites_allowed(each.labels["shopsphere.io/data-class"], jurisdiction)


def test_pods_and_databases_carry_the_labels_of_their_workload(regional: SiteGraph) -> None:
    _, _, graph = regional
    for deployment in graph.of("Deployment"):
        assert deployment.state["spec"]["template"]["metadata"]["labels"] == deployment.labels
    for cluster in graph.of("Cluster"):
        assert cluster.state["spec"]["inheritedMetadata"]["labels"] == cluster.labels


def test_namespaces_are_restricted_and_closed(site: SiteGraph) -> None:
    _, _, graph = site
    for namespace in graph.of("Namespace"):
        assert namespace.labels["pod-security.kubernetes.io/enforce"] == "restricted"
        closed = graph.get("NetworkPolicy", namespace.name, "default-deny")
        assert closed["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.requirement("8 racks and 150 kW per RDC, fixed")
def test_quotas_together_stay_within_the_sites_power(site: SiteGraph) -> None:
    _, name, graph = site
    quotas = [each for each in graph.of("ResourceQuota") if each.name.endswith("-power")]
    assert {each.namespace for each in quotas} == {each.name for each in graph.of("Namespace")}
    total = sum(int(each.state["spec"]["hard"]["requests.shopsphere.io/watts"]) for each in quotas)
    assert 0 < total < site_budget(TOPOLOGY.site(name), TOPOLOGY)


@pytest.mark.requirement("no namespace takes pods, claims, load balancers or ports of the nodes without a bound")
def test_scarce_objects_are_bounded_and_there_is_room_for_ours(site: SiteGraph) -> None:
    _, _, graph = site
    quotas = [each for each in graph.of("ResourceQuota") if each.name.endswith("-objects")]
    hard = {str(each.namespace): each.state["spec"]["hard"] for each in quotas}
    assert set(hard) == {each.name for each in graph.of("Namespace")}
    for namespace, bounds in hard.items():
        outside = {"gateway": ("1", "3")}.get(namespace, ("0", "1" if namespace.startswith("data-") else "0"))
        assert (bounds["services.loadbalancers"], bounds["services.nodeports"]) == outside
        assert 20 <= int(bounds["pods"]) < 1000
        assert 0 <= int(bounds["persistentvolumeclaims"]) <= 4
    for service in graph.of("Service"):
        if service.state["spec"].get("type") == "LoadBalancer":
            assert len(service.state["spec"]["ports"]) <= int(hard[str(service.namespace)]["services.nodeports"])


def test_volumes_can_bind_at_their_site_only(site: SiteGraph) -> None:
    _, name, graph = site
    (storage,) = graph.of("StorageClass")
    assert storage.name == f"{name}-pinned"
    assert storage.state["allowedTopologies"][0]["matchLabelExpressions"] == [
        {"key": "shopsphere.io/site", "values": [name]}
    ]
    for volume in graph.of("PersistentVolume"):
        (term,) = volume.state["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
        assert term["matchExpressions"] == [{"key": "shopsphere.io/site", "operator": "In", "values": [name]}]
        assert volume.state["spec"]["storageClassName"] == storage.name


def test_every_pod_is_charged_for_its_power(regional: SiteGraph) -> None:
    _, _, graph = regional
    charged = [cluster.state["spec"]["resources"] for cluster in graph.of("Cluster")]
    for deployment in graph.of("Deployment"):
        pod = deployment.state["spec"]["template"]["spec"]
        charged += [container["resources"] for container in [*pod.get("initContainers", []), *pod["containers"]]]
    for resources in charged:
        assert int(resources["requests"]["shopsphere.io/watts"]) >= 1
        assert resources["limits"]["shopsphere.io/watts"] == resources["requests"]["shopsphere.io/watts"]


def test_no_name_is_declared_twice(site: SiteGraph) -> None:
    _, _, graph = site
    keys = [each.key for each in graph.objects]
    assert len(keys) == len(set(keys))


def test_nothing_waits_for_what_another_stack_brings(regional: SiteGraph) -> None:
    _, _, graph = regional
    for kind in ("Deployment", "Service", "Cluster", "PersistentVolume", "ResourceQuota"):
        for each in graph.of(kind):
            assert each.state["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true", each.name


def test_a_changed_gateway_configuration_replaces_its_pods(regional: SiteGraph) -> None:
    _, _, graph = regional
    files = graph.get("ConfigMap", "gateway", "gateway-configuration")["data"]
    text = "\0".join(files[name] for name in sorted(files))
    assert all(f"/{page} " in f"{files['haproxy.cfg']} " for page in files if page != "haproxy.cfg")
    template = graph.get("Deployment", "gateway", "gateway")["spec"]["template"]
    assert (
        template["metadata"]["annotations"]["shopsphere.io/configuration"] == hashlib.sha256(text.encode()).hexdigest()
    )


@pytest.mark.requirement("the origin's entry for the CDN answers nobody who does not show the CDN's certificate")
def test_the_cdn_has_an_entry_of_its_own(regional: SiteGraph) -> None:
    _, _, graph = regional
    files = graph.get("ConfigMap", "gateway", "gateway-configuration")["data"]
    assert files["cdn-ca.crt"] == authority_of_tests()
    ports = {
        each["name"]: (each["port"], each["targetPort"])
        for each in graph.get("Service", "gateway", "gateway")["spec"]["ports"]
    }
    assert ports == {"https": (443, 8443), "http": (80, 8080), "cdn": (8443, 8444)}
    entries = {part.partition("\n")[0]: part for part in files["haproxy.cfg"].split("\nfrontend ")[1:]}
    assert set(entries) == {"health", "https", "http", "cdn"}
    assert "ca-file /etc/shopsphere/gateway/cdn-ca.crt verify required" in entries["cdn"]
    assert "deny_status 403 if !{ ssl_c_s_dn(cn) -m str cdn }" in entries["cdn"]
    assert "default_backend" not in entries["http"], "nothing of the shop is handed out in clear"


def test_headquarters_has_aggregates_and_no_database(graph_of: GraphOf) -> None:
    for environment in ("lab", "prod"):
        graph = graph_of("hq", f"{environment}-newyork")
        assert not graph.of("Cluster")
        assert {each.labels["shopsphere.io/data-class"] for each in graph.of("PersistentVolume")} == {"aggregate"}


@pytest.mark.requirement("admission policies of a site are there before the workloads that they judge")
def test_each_namespace_waits_for_every_admission_policy(site: SiteGraph) -> None:
    _, name, graph = site
    policies = {each.name for each in graph.of("ValidatingAdmissionPolicy")}
    bindings = {each.name: each.state["spec"] for each in graph.of("ValidatingAdmissionPolicyBinding")}
    assert len(policies) == 28
    assert bindings == {each: {"policyName": each, "validationActions": ["Deny"]} for each in policies}
    for namespace in graph.of("Namespace"):
        waits_for = {each.split("::")[-1] for each in namespace.after if "PolicyBinding::" in each}
        assert waits_for == policies, namespace.name
    (claims,) = [each for each in graph.of("ValidatingAdmissionPolicy") if each.name == "shopsphere-claims"]
    assert f'"{name}-pinned"' in str(claims.state["spec"]["validations"])
