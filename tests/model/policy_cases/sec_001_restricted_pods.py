from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN

ENFORCE = ("metadata", "labels", "pod-security.kubernetes.io/enforce")
GOOD = {"restricted": k8s.NAMESPACE}
BAD = {
    "privileged": (k8s.NAMESPACE.but(*ENFORCE, "privileged"), "enforce: privileged"),
    "baseline": (k8s.NAMESPACE.but(*ENFORCE, "baseline"), "enforce: baseline", "allowed: restricted"),
    "nothing": (k8s.NAMESPACE.but(*ENFORCE, REMOVED), "enforce: missing"),
    "no labels": (k8s.NAMESPACE.but("metadata", {"name": "shop"}), "enforce: missing"),
}
UNKNOWN_CASES = {"level": (k8s.NAMESPACE.but(*ENFORCE, UNKNOWN), "enforce is not known")}
NOT_APPLICABLE = {"deployment": k8s.DEPLOYMENT, "dns": k8s.DNS}
