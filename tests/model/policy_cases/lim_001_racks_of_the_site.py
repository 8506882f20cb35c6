from typing import Any

from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared
from shopsphere.estate.placement import RACK_LABEL, SITE_LABEL

POD_SPEC = ("spec", "template", "spec")
NODE = Declared(
    "kubernetes:core/v1:Node", {"metadata": {"labels": {SITE_LABEL: "frankfurt", RACK_LABEL: "r8"}}}, "frankfurt-r8"
)


def terms(*racks: str, operator: str = "In") -> dict[str, dict[str, list[dict[Any, Any]]]]:
    expression = {"key": RACK_LABEL, "operator": operator, "values": list(racks)}
    return {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    }


def in_rack(rack: str) -> Declared:
    return k8s.DEPLOYMENT.but(*POD_SPEC, "nodeSelector", {RACK_LABEL: rack})


GOOD = {
    "scheduler's choice": k8s.DEPLOYMENT,
    "rack 7": in_rack("r7"),
    "rack 8": in_rack("r8"),
    "affinity to racks": k8s.DEPLOYMENT.but(*POD_SPEC, "affinity", {"nodeAffinity": terms("r1", "r8")}),
    "away from a rack": k8s.DEPLOYMENT.but(*POD_SPEC, "affinity", {"nodeAffinity": terms("r9", operator="NotIn")}),
    "node": NODE,
    "volume": k8s.VOLUME,
    "database": k8s.DATABASE.but("spec", "affinity", {"nodeSelector": {RACK_LABEL: "r2"}}),
}
BAD = {
    "rack 9": (in_rack("r9"), "found:   nodeSelector: rack r9", "r1 to r8, the racks of frankfurt"),
    "rack 0": (in_rack("r0"), "rack r0"),
    "rack by another name": (in_rack("nine"), "rack nine"),
    "rack 3 of headquarters": (
        in_rack("r3").but("metadata", "labels", k8s.labels("aggregate", "newyork", "headquarters")),
        "r1 to r2, the racks of newyork",
    ),
    "affinity": (k8s.DEPLOYMENT.but(*POD_SPEC, "affinity", {"nodeAffinity": terms("r1", "r9")}), "rack r9"),
    "ninth node": (NODE.but("metadata", "labels", RACK_LABEL, "r9"), "found:   metadata.labels: rack r9"),
    "node in no rack": (NODE.but("metadata", "labels", RACK_LABEL, REMOVED), "rack missing"),
    "node of no site": (NODE.but("metadata", "labels", REMOVED), "no label of a known site"),
    "volume": (
        k8s.VOLUME.but("spec", "nodeAffinity", "required", terms("r9").popitem()[1]),
        "found:   nodeAffinity: rack r9",
    ),
    "database": (k8s.DATABASE.but("spec", "affinity", {"nodeAffinity": terms("r12")}), "rack r12"),
}
UNKNOWN_CASES = {"rack": (in_rack(UNKNOWN), "is not known")}
NOT_APPLICABLE = {"namespace": k8s.NAMESPACE, "claim": k8s.CLAIM, "dns": k8s.DNS}
