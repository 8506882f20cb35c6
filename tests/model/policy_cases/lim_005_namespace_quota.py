from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN
from shopsphere.estate.placement import SITE_LABEL, WATTS_RESOURCE

WATTS = ("spec", "hard", f"requests.{WATTS_RESOURCE}")

GOOD = {
    "within": k8s.QUOTA,
    "all of the site": k8s.QUOTA.but(*WATTS, "149040"),
    "quota of something else": k8s.QUOTA.but("spec", "hard", {"pods": "999999"}),
    "site known by the provider": k8s.QUOTA.but("metadata", "labels", REMOVED),
}
BAD = {
    "one watt too many": (k8s.QUOTA.but(*WATTS, "149041"), "149041", "149040 W, what frankfurt has for pods"),
    "150.1 kW": (k8s.QUOTA.but(*WATTS, "150.1k"), "150.1k"),
    "more than headquarters has": (k8s.QUOTA.but("metadata", "labels", SITE_LABEL, "newyork"), "29760 W"),
    "no site": (k8s.QUOTA.but("metadata", "labels", REMOVED).by(None), "site missing"),
    "no quantity": (k8s.QUOTA.but(*WATTS, "all"), "found:   spec.hard['requests.shopsphere.io/watts'] is 'all'\n"),
}
UNKNOWN_CASES = {
    "watts": (k8s.QUOTA.but(*WATTS, UNKNOWN), "is not known"),
    "spec": (k8s.QUOTA.but("spec", UNKNOWN), "spec is not known"),
}
NOT_APPLICABLE = {"namespace": k8s.NAMESPACE, "dns": k8s.DNS}
