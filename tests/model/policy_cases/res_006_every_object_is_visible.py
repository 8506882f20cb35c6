from policy_cases import kubernetes as k8s
from policy_cases.declared import UNKNOWN

GOOD = {"deployment": k8s.DEPLOYMENT, "chart": k8s.SETTINGS.of("kubernetes:helm.sh/v4:Chart")}
BAD = {
    "list": (k8s.SETTINGS.of("kubernetes:apps/v1:DeploymentList"), "DeploymentList", "one resource per object"),
    "patch": (k8s.DEPLOYMENT.of("kubernetes:apps/v1:DeploymentPatch"), "does not own, DeploymentPatch"),
    "release": (k8s.SETTINGS.of("kubernetes:helm.sh/v3:Release"), "a Helm release"),
}
UNKNOWN_CASES = {
    "patch with a name that is not known": (
        k8s.DEPLOYMENT.of("kubernetes:apps/v1:DeploymentPatch").but("metadata", UNKNOWN),
        "DeploymentPatch",
    )
}
NOT_APPLICABLE = {"dns": k8s.DNS, "component": k8s.COMPONENT}
