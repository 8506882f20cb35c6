from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared
from policy_cases.lim_002_workload_power import RESOURCES
from shopsphere.estate.placement import WATTS_RESOURCE

SURGE = ("spec", "strategy", "rollingUpdate", "maxSurge")


def pods(watts: int, replicas: int, surge: float | str = 1.0) -> Declared:
    resource = k8s.DEPLOYMENT.but(*RESOURCES, k8s.resources(watts)).but("spec", "replicas", float(replicas))
    return resource.but(*SURGE, surge)


def quota(watts: int) -> Declared:
    return k8s.QUOTA.but("spec", "hard", f"requests.{WATTS_RESOURCE}", str(watts))


GOOD = {
    "up to the last watt": [pods(14, 5), quota(84)],
    "a quarter where nothing is said": [k8s.DEPLOYMENT.but("spec", "replicas", 5.0), quota(98)],
    "no surge": [pods(14, 5, 0.0), quota(70)],
    "all ended first": [pods(14, 5).but("spec", "strategy", {"type": "Recreate"}), quota(70)],
    "a database is replaced in its place": [k8s.DATABASE, k8s.QUOTA.but("metadata", "namespace", "data-ledger")],
    "a database has one instance where nothing is said": [
        k8s.DATABASE.but("spec", "instances", REMOVED),
        quota(14).but("metadata", "namespace", "data-ledger"),
    ],
    "a deployment has one pod where nothing is said": [k8s.DEPLOYMENT.but("spec", "replicas", REMOVED), quota(28)],
    "a pod is one pod": [k8s.POD.but("metadata", "namespace", "shop"), quota(14)],
    "none of it runs": [pods(14, 0, 0.0), quota(13)],
    "another namespace's quota": [pods(14_401, 5), quota(59_616).but("metadata", "namespace", "gateway")],
    "a quota of something else": [pods(14_401, 5), k8s.QUOTA.but("spec", "hard", {"pods": "9"})],
}
BAD = {
    "five large pods in a small namespace": (
        [pods(14_401, 5), quota(59_616)],
        "86406 W for 5 + 1 pods of shop",
        "59616 W, the quota of namespace shop",
    ),
    "no room for one more": ([pods(14, 5), quota(83)], "84 W for 5 + 1 pods of shop"),
    "a quarter, rounded up": ([k8s.DEPLOYMENT.but("spec", "replicas", 5.0), quota(97)], "98 W for 5 + 2 pods"),
    "a quarter where null is said": ([pods(14, 5).but(*SURGE, None), quota(97)], "98 W for 5 + 2 pods"),
    "percent": ([pods(14, 4, "50%"), quota(83)], "84 W for 4 + 2 pods"),
    "percent, rounded up": ([pods(14, 3, "67%"), quota(83)], "84 W for 3 + 3 pods"),
    "autoscaled": ([pods(14, 1), k8s.AUTOSCALER, quota(153)], "154 W for 10 + 1 pods of shop"),
    "two workloads": (
        [pods(14, 1), pods(14, 1).but("metadata", "name", "other").called("other"), quota(55)],
        "56 W for 1 + 1 pods of shop, 1 + 1 pods of other",
    ),
    "nothing for a percentage": ([pods(14, 4, ""), quota(1000)], "rollingUpdate.maxSurge is a str"),
    "no percentage": (
        [pods(14, 4, "half"), quota(1000)],
        "found:   spec.strategy.rollingUpdate.maxSurge is a str",
        "allowed: a number of pods or a percentage",
    ),
}
UNKNOWN_CASES = {
    "replicas": ([k8s.DEPLOYMENT.but("spec", "replicas", UNKNOWN), quota(100)], "spec.replicas is not known"),
    "quota": ([pods(14, 1), k8s.QUOTA.but("spec", "hard", f"requests.{WATTS_RESOURCE}", UNKNOWN)], "spec.hard"),
}
NOT_APPLICABLE = {"nothing that runs": [k8s.NAMESPACE, k8s.DNS], "empty": []}
