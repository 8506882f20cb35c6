from typing import Any

from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared
from shopsphere.estate.placement import WATTS_RESOURCE

BUDGET, RACK = 149_040, 18_630
POD_SPEC = ("spec", "template", "spec")
CONTAINER = (*POD_SPEC, "containers", 0)
RESOURCES = (*CONTAINER, "resources")


def pods(watts: int, replicas: int) -> Declared:
    return k8s.DEPLOYMENT.but(*RESOURCES, k8s.resources(watts)).but("spec", "replicas", float(replicas))


def init_containers(resource: Declared, *containers: dict[str, Any]) -> Declared:
    return resource.but(*POD_SPEC, "initContainers", list(containers))


MIGRATION = {"name": "migrate", "resources": k8s.resources(14)}
GOOD = {
    "deployment": k8s.DEPLOYMENT,
    "all of the site": pods(BUDGET // 8, 8),
    "up to the last watt": pods(BUDGET // 10, 10),
    "replicas left to an autoscaler": k8s.DEPLOYMENT.but("spec", "replicas", REMOVED),
    "init container as large as the container": init_containers(k8s.DEPLOYMENT, MIGRATION),
    "less than a watt drawn": k8s.DEPLOYMENT.but(*RESOURCES, k8s.resources(1, cpu="10m", memory="16Mi")),
    "more watts than drawn": pods(15, 1),
    "cron job": k8s.CRON_JOB,
    "database": k8s.DATABASE,
    "pod": k8s.POD,
    "daemon set": k8s.DEPLOYMENT.of("kubernetes:apps/v1:DaemonSet").but(*RESOURCES, k8s.resources(BUDGET // 8)),
}
BAD = {
    "no watts": (
        k8s.DEPLOYMENT.but(*RESOURCES, {"requests": {"cpu": "1", "memory": "1Gi"}}),
        f"0 W requested per pod as {WATTS_RESOURCE}",
        "at least 14 W",
    ),
    "fewer watts than drawn": (pods(13, 1), "13 W requested per pod", "with 1 cores and 1 GiB"),
    "no cpu": (k8s.DEPLOYMENT.but(*RESOURCES, "requests", "cpu", REMOVED), "container 'shop'", "a request of cpu"),
    "no memory": (k8s.DEPLOYMENT.but(*RESOURCES, "requests", "memory", REMOVED), "a request of memory"),
    "no resources": (k8s.DEPLOYMENT.but(*RESOURCES, REMOVED), "a request of cpu"),
    "requests unlike limits": (k8s.DEPLOYMENT.but(*RESOURCES, "limits", WATTS_RESOURCE, "20"), "the same as requested"),
    "part of a watt": (
        k8s.DEPLOYMENT.but(*RESOURCES, "requests", WATTS_RESOURCE, "14500m").but(
            *RESOURCES, "limits", WATTS_RESOURCE, "14500m"
        ),
        "whole",
    ),
    "no quantity": (
        k8s.DEPLOYMENT.but(*RESOURCES, "requests", "cpu", "lots"),
        ".cpu is 'lots'\n",
        "allowed: a Kubernetes quantity, as in 250m or 512Mi",
    ),
    "replicas without end": (k8s.DEPLOYMENT.but("spec", "replicas", float("inf")), "spec.replicas is a float"),
    "replicas that are no number": (k8s.DEPLOYMENT.but("spec", "replicas", float("nan")), "spec.replicas is a float"),
    "one pod for more than a rack": (pods(RACK + 1, 1), f"one pod of {RACK + 1} W", f"{RACK} W"),
    "one watt too many": (pods(BUDGET // 10 + 1, 10), f"10 pods of {BUDGET // 10 + 1} W: 149050 W", "149040 W"),
    "150.1 kW": (pods(14_914, 10), "149140 W", "within 150 kW"),
    "more nodes than watts": (
        k8s.DEPLOYMENT.of("kubernetes:apps/v1:DaemonSet").but(*RESOURCES, k8s.resources(RACK + 1)),
        "8 pods of",
    ),
    "parallel cron job": (k8s.CRON_JOB.but("spec", "jobTemplate", "spec", "parallelism", 20_000.0), "20000 pods"),
    "parallel job": (
        k8s.DEPLOYMENT.of("kubernetes:batch/v1:Job").but("spec", "parallelism", 20_000.0),
        "20000 pods",
    ),
    "large stateful set": (k8s.STATEFUL_SET.but("spec", "replicas", 20_000.0), "20000 pods"),
    "large replica set": (pods(14, 20_000).of("kubernetes:apps/v1:ReplicaSet"), "20000 pods"),
    "large replication controller": (pods(14, 20_000).of("kubernetes:core/v1:ReplicationController"), "20000 pods"),
    "overhead that is no quantity": (
        k8s.DEPLOYMENT.but(*POD_SPEC, "overhead", {"cpu": True}),
        "found:   overhead.cpu is a bool",
    ),
    "sidecar counts": (
        init_containers(k8s.DEPLOYMENT, {**MIGRATION, "restartPolicy": "Always", "resources": k8s.resources(1)}),
        "15 W requested",
        "at least 27 W",
    ),
    "init container larger than its watts": (
        init_containers(k8s.DEPLOYMENT, {"name": "migrate", "resources": k8s.resources(14, cpu="2")}),
        "at least 26 W",
    ),
    "database without watts": (
        k8s.DATABASE.but("spec", "resources", {"requests": {"cpu": "1", "memory": "1Gi"}}),
        "0 W requested",
    ),
    "database without cpu": (
        k8s.DATABASE.but("spec", "resources", "requests", "cpu", REMOVED),
        "found:   spec: resources.requests.cpu is missing",
    ),
    "many instances": (k8s.DATABASE.but("spec", "instances", 20_000.0), "20000 pods"),
    "part of a replica": (k8s.DEPLOYMENT.but("spec", "replicas", 1.5), "a whole number"),
    "nothing at all": (k8s.POD.but("spec", {}), "0 W requested per pod"),
}
UNKNOWN_CASES = {
    "watts": (k8s.DEPLOYMENT.but(*RESOURCES, "requests", WATTS_RESOURCE, UNKNOWN), "is not known"),
    "replicas": (k8s.DEPLOYMENT.but("spec", "replicas", UNKNOWN), "spec.replicas is not known"),
}
NOT_APPLICABLE = {"namespace": k8s.NAMESPACE, "volume": k8s.VOLUME, "dns": k8s.DNS}
