from policy_cases import kubernetes as k8s
from policy_cases.declared import UNKNOWN

OPEN = "without a policy that selects all of its pods and opens nothing"
GOOD = {
    "closed": [k8s.NAMESPACE, k8s.CLOSED],
    "closed, and a way opened": [
        k8s.NAMESPACE,
        k8s.CLOSED,
        k8s.CLOSED.but("metadata", "name", "to-x").but("spec", "egress", [{"to": []}]),
    ],
    "no namespace": [k8s.CLOSED],
}
BAD = {
    "no policy": ([k8s.NAMESPACE], "Namespace 'shop'", OPEN),
    "policy of another namespace": ([k8s.NAMESPACE, k8s.CLOSED.but("metadata", "namespace", "payments")], OPEN),
    "some of its pods": ([k8s.NAMESPACE, k8s.CLOSED.but("spec", "podSelector", {"matchLabels": {"a": "b"}})], OPEN),
    "one direction": ([k8s.NAMESPACE, k8s.CLOSED.but("spec", "policyTypes", ["Ingress"])], OPEN),
    "policy that opens": ([k8s.NAMESPACE, k8s.CLOSED.but("spec", "egress", [{}])], OPEN),
    "policy that opens a way in": ([k8s.NAMESPACE, k8s.CLOSED.but("spec", "ingress", [{}])], OPEN),
    "another kind of the group": ([k8s.NAMESPACE, k8s.CLOSED.of("kubernetes:networking.k8s.io/v1:Ingress")], OPEN),
    "policy of another group": ([k8s.NAMESPACE, k8s.CLOSED.of("kubernetes:example.com/v1:NetworkPolicy")], OPEN),
    "one of two": ([k8s.NAMESPACE, k8s.NAMESPACE.but("metadata", "name", "b").called("b"), k8s.CLOSED], "'b'"),
}
UNKNOWN_CASES = {
    "policy": ([k8s.NAMESPACE, k8s.CLOSED.but("spec", UNKNOWN)], "spec is not known", OPEN),
    "name": ([k8s.NAMESPACE.but("metadata", "name", UNKNOWN)], "metadata.name is not known"),
}
NOT_APPLICABLE = {"deployment": [k8s.DEPLOYMENT], "dns": [k8s.DNS]}
