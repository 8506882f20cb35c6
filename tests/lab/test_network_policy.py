"""NetworkPolicy is enforced for real: probed from inside pods, where only a real answer counts."""

import json

import pytest
from lab_access import At, Kube, Lab

from lab import record
from lab.cluster.addons import kubectl
from lab.leading import leading_pod
from shopsphere.foundation.process import CommandError
from shopsphere.topology import load_topology

PROBE = """
import socket, sys
try:
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=float(sys.argv[3]))
    s.close(); print("open")
except OSError as error:
    print("closed", error)
"""

SECONDS, SHORT = 20, 3
"""For what answers, on a busy machine, and for what is closed and keeps silent."""

# from, to, port, expected
WAYS = [
    ("shop", "commerce.data-commerce.svc.cluster.local", 5432, "open"),
    ("shop", "payments.payments.svc.cluster.local", 80, "open"),
    ("shop", "ledger.data-ledger.svc.cluster.local", 5432, "closed"),
    ("payments", "ledger.data-ledger.svc.cluster.local", 5432, "open"),
    ("payments", "commerce.data-commerce.svc.cluster.local", 5432, "closed"),
    ("payments", "10.99.0.70", 8070, "open"),
    ("shop", "10.99.0.70", 8070, "closed"),
    ("shop", "10.99.0.21", 30032, "closed"),
    ("shop", "10.99.0.40", 6443, "closed"),
    ("shop", "10.99.0.12", 30033, "closed"),
    ("payments", "10.99.0.21", 443, "closed"),
]

# Elsewhere, each with a host that reaches it: what is closed to everybody would prove nothing.
ELSEWHERE = {
    ("10.99.0.11", 6443): "frankfurt",  # API server of the pod's own site
    ("10.99.0.11", 10250): "frankfurt",  # its kubelet
    ("10.99.0.11", 8405): "frankfurt",  # its agent
    ("10.99.0.11", 2490): "ashburn",  # its voter of the witness of rdc-b
    ("10.99.0.12", 443): "client-eu",
    ("10.99.0.12", 6443): "dublin",
    ("10.99.0.12", 30032): "frankfurt",  # databases of the other site of the pair: for databases alone
    ("10.99.0.12", 30033): "frankfurt",
    ("10.99.0.21", 443): "client-eu",
    ("10.99.0.21", 6443): "ashburn",
    ("10.99.0.21", 30032): "chicago",
    ("10.99.0.21", 30033): "chicago",
    ("10.99.0.22", 443): "client-us",
    ("10.99.0.22", 30032): "ashburn",
    ("10.99.0.22", 30033): "ashburn",
    ("10.99.0.40", 2480): "frankfurt",  # headquarters
    ("10.99.0.40", 2490): "ashburn",
    ("10.99.0.52", 53): "client-eu",  # public DNS, by which a name can carry data away
    ("10.99.0.53", 53): "client-eu",
    ("10.99.0.53", 8081): "edge",
    ("10.99.0.80", 443): "client-eu",  # CDN
    ("10.99.0.80", 8082): "edge",
}
HEADQUARTERS_CLUSTER = {("10.99.0.40", 6443): "newyork", ("10.99.0.40", 10250): "newyork"}
"""Where `make up REGION=all` has run: these tests alone start no cluster at headquarters."""
OPEN_ONES = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def is_open(place):
    try:
        socket.create_connection(place, timeout=float(sys.argv[2])).close()
    except OSError:
        return False
    return True
places = [tuple(each) for each in json.loads(sys.argv[1])]
with ThreadPoolExecutor(32) as pool:
    print(json.dumps([place for place, answered in zip(places, pool.map(is_open, places)) if answered]))
"""
BY_PSQL = """(
    said=$(psql -w "hostaddr=${each%/*} port=${each#*/} dbname=x user=x connect_timeout=10" 2>&1)
    case "$said" in *refused* | *expired* | *"timed out"* | *route*) ;; *) echo $each ;; esac
) &"""
"""A database's image has neither Python nor grep: whatever else psql says, something has answered it."""
LEDGER = ("-n", "data-ledger", "-c", "postgres")


@pytest.fixture
def elsewhere(lab: Lab) -> dict[tuple[str, int], str]:
    """Every place outside that runs now, with a host that reaches it."""
    return ELSEWHERE | (HEADQUARTERS_CLUSTER if "hq" in record.regions() else {})


@pytest.mark.requirement("default-deny NetworkPolicy, enforced and probed from inside pods")
@pytest.mark.parametrize(("workload", "target", "port", "expected"), WAYS)
def test_way(lab: Lab, workload: str, target: str, port: int, expected: str) -> None:
    probe = ["python3.11", "-c", PROBE, target, str(port), str(SECONDS if expected == "open" else SHORT)]
    output = kubectl("frankfurt", "exec", "-n", workload, f"deploy/{workload}", "--", *probe, check=False, seconds=90)
    assert output.split()[:1] == [expected], output


@pytest.mark.requirement("a pod never reaches another jurisdiction, headquarters, the edge or its own site's machinery")
@pytest.mark.parametrize("workload", ["shop", "payments"])
def test_nothing_elsewhere_is_reached(elsewhere: dict[tuple[str, int], str], workload: str) -> None:
    probe = ["python3.11", "-c", OPEN_ONES, json.dumps(list(elsewhere)), str(SHORT)]
    assert json.loads(kubectl("frankfurt", "exec", "-n", workload, f"deploy/{workload}", "--", *probe)) == []


def test_each_of_these_places_answers_somebody(elsewhere: dict[tuple[str, int], str], at: At) -> None:
    silent = {
        place: host
        for place, host in elsewhere.items()
        if json.loads(at(host, "python3", "-c", OPEN_ONES, json.dumps([place]), str(SECONDS)).stdout) != [list(place)]
    }
    assert silent == {}


@pytest.mark.requirement("a database reaches the other site of its pair, and no other")
def test_a_database_reaches_its_pair_alone(elsewhere: dict[tuple[str, int], str]) -> None:
    places = [*elsewhere, ("10.99.0.70", 8070)]
    tried = " ".join(f"{address}/{port}" for address, port in places)
    script = f"for each in {tried}; do {BY_PSQL} done; wait"
    opened = kubectl("frankfurt", "exec", *LEDGER, leading_pod("frankfurt", "ledger"), "--", "sh", "-c", script)
    # Where dublin has several nodes its ledger answers at the node where it leads, which may be another one.
    several = len(load_topology(environment="lab").site("dublin").nodes) > 1
    assert set(opened.split()) | ({"10.99.0.12/30033"} if several else set()) == {"10.99.0.11/6443", "10.99.0.12/30033"}


@pytest.mark.requirement("default-deny NetworkPolicy in every shop namespace")
@pytest.mark.parametrize("namespace", ["shop", "payments", "data-commerce", "data-ledger", "gateway"])
def test_every_namespace_denies_by_default(kube: Kube, namespace: str) -> None:
    policies = kube("frankfurt", "networkpolicies", "-n", namespace)["items"]
    specs = [policy["spec"] for policy in policies]
    denying = [s for s in specs if not any(s.get(part) for part in ("podSelector", "ingress", "egress"))]
    assert any(set(s["policyTypes"]) == {"Ingress", "Egress"} for s in denying)


@pytest.mark.requirement("Pod Security restricted in shop namespaces")
@pytest.mark.parametrize("namespace", ["shop", "payments", "data-commerce", "data-ledger", "gateway"])
def test_privileged_pod_is_refused(namespace: str) -> None:
    image = "--image=localhost/shopsphere/pause:1"
    with pytest.raises(CommandError, match='violates PodSecurity "restricted') as refused:
        kubectl("frankfurt", "run", "root", "-n", namespace, image, "--privileged", "--dry-run=server")
    assert "exit code 1\n" in str(refused.value)
