"""NetworkPolicy is enforced for real: probed from inside pods, where only a real answer counts."""

import pytest
from lab_access import Kube, Lab

from lab.cluster.addons import kubectl
from shopsphere.foundation.process import CommandError

PROBE = """
import socket, sys
try:
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)
    s.close(); print("open")
except OSError as error:
    print("closed", error)
"""

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


@pytest.mark.requirement("default-deny NetworkPolicy, enforced and probed from inside pods")
@pytest.mark.parametrize(("workload", "target", "port", "expected"), WAYS)
def test_way(lab: Lab, workload: str, target: str, port: int, expected: str) -> None:
    probe = ["python3.11", "-c", PROBE, target, str(port)]
    output = kubectl("frankfurt", "exec", "-n", workload, f"deploy/{workload}", "--", *probe, check=False, seconds=30)
    assert output.split()[:1] == [expected], output


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
