from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN
from shopsphere.estate.placement import WATTS_RESOURCE

WATTS = ("spec", "hard", f"requests.{WATTS_RESOURCE}")
SECOND = k8s.NAMESPACE.but("metadata", "name", "payments").called("payments")
SECOND_QUOTA = k8s.QUOTA.but("metadata", "namespace", "payments")

GOOD = {
    "one": [k8s.NAMESPACE, k8s.QUOTA],
    "up to the last watt": [k8s.NAMESPACE, k8s.QUOTA, SECOND, SECOND_QUOTA.but(*WATTS, "49040")],
    "quota of something else beside it": [k8s.NAMESPACE, k8s.QUOTA, k8s.QUOTA.but("spec", "hard", {"pods": "9"})],
    "site known by the provider": [k8s.NAMESPACE, k8s.QUOTA.but("metadata", "labels", REMOVED)],
}
BAD = {
    "no quota": ([k8s.NAMESPACE], "Namespace 'shop'", "without a quota"),
    "quota elsewhere": ([k8s.NAMESPACE, SECOND_QUOTA], "Namespace 'shop'"),
    "quota of something else": ([k8s.NAMESPACE, k8s.QUOTA.but("spec", "hard", {"pods": "9"})], "without a quota"),
    "one watt too many": (
        [k8s.NAMESPACE, k8s.QUOTA, SECOND, SECOND_QUOTA.but(*WATTS, "49041")],
        "quotas of 149041 W at frankfurt",
        "149040 W",
    ),
    "quota of no site before one that is too large": (
        [k8s.QUOTA.but("metadata", "labels", REMOVED).by({}), k8s.QUOTA.but(*WATTS, "149041")],
        "at no site",
        "quotas of 149041 W at frankfurt",
    ),
    "quota of no site": ([k8s.QUOTA.but("metadata", "labels", REMOVED).by({})], "at no site"),
}
UNKNOWN_CASES = {
    "watts": ([k8s.NAMESPACE, k8s.QUOTA.but(*WATTS, UNKNOWN)], "spec.hard"),
    "namespace": ([k8s.NAMESPACE, k8s.QUOTA.but("metadata", "namespace", UNKNOWN)], "metadata.namespace is not known"),
}
NOT_APPLICABLE = {"neither": [k8s.DEPLOYMENT, k8s.DNS], "empty": []}
