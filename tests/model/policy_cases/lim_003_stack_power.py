from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared
from policy_cases.lim_002_workload_power import BUDGET, RESOURCES

HALF = BUDGET // 10


def pods(name: str, watts: int, replicas: int) -> Declared:
    resource = k8s.DEPLOYMENT.but("metadata", "name", name).but(*RESOURCES, k8s.resources(watts)).called(name)
    return resource.but("spec", "replicas", float(replicas))


GOOD = {
    "one": [k8s.DEPLOYMENT],
    "up to the last watt": [pods("a", HALF, 5), pods("b", HALF, 5)],
    "autoscaled up to the last watt": [pods("shop", HALF, 1), k8s.AUTOSCALER],
    "autoscaler of something else": [pods("other", HALF, 1), k8s.AUTOSCALER.but("spec", "maxReplicas", 99.0)],
    "autoscaler that names no most": [pods("shop", BUDGET, 1), k8s.AUTOSCALER.but("spec", "maxReplicas", REMOVED)],
    "autoscaler by name alone": [
        pods("shop", HALF, 1),
        k8s.AUTOSCALER.of("kubernetes:example.com/v1:HorizontalPodAutoscaler").but("spec", "maxReplicas", 99.0),
    ],
    "none of it runs": [pods("a", HALF, 10), pods("b", HALF, 0)],
    "at two sites": [
        pods("a", HALF, 10),
        pods("b", HALF, 10).but("metadata", "labels", k8s.labels(site="dublin")),
    ],
}
BAD = {
    "one watt too many": ([pods("a", HALF, 5), pods("b", HALF, 5), pods("c", 1, 1)], "149041 W", "149040 W"),
    "autoscaled to more": (
        [pods("shop", HALF, 1), k8s.AUTOSCALER.but("spec", "maxReplicas", 11.0)],
        f"{HALF * 11} W requested by all pods of frankfurt",
    ),
    "databases count": ([pods("a", HALF, 10), k8s.DATABASE], "149054 W"),
}
UNKNOWN_CASES = {
    "replicas": ([k8s.DEPLOYMENT.but("spec", "replicas", UNKNOWN)], "spec.replicas is not known"),
    "others are still judged": (
        [k8s.DEPLOYMENT.but("spec", "replicas", UNKNOWN), pods("a", HALF, 11)],
        "spec.replicas is not known",
        f"{HALF * 11} W",
    ),
}
NOT_APPLICABLE = {"nothing that runs": [k8s.NAMESPACE, k8s.DNS], "empty": []}
