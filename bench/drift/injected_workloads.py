"""Drifts of workloads: what runs in pods, with which image, words, environment and number."""

from __future__ import annotations

from acts import CONTROLLER
from injections import MARK, Ground, Injection, made, patched
from patches import END, Edit

from shopsphere.estate.placement import DATA_CLASS_LABEL

POD = ("spec", "template", "spec")
TEMPLATE = ("spec", "template", "metadata")
P = "spec.template.spec"
SHOP, PAYMENTS, GATEWAY = ("Deployment", "shop", "shop"), ("Deployment", "payments", "payments"), (
    "Deployment", "gateway", "gateway",
)  # fmt: skip
BOX = {"shop": (*POD, "containers", {"name": "shop"}), "payments": (*POD, "containers", {"name": "payments"}),
       "gateway": (*POD, "containers", {"name": "haproxy"})}  # fmt: skip
S, Y, G = (f"{P}.containers[name={name}]" for name in ("shop", "payments", "haproxy"))
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def workloads(ground: Ground) -> list[Injection]:
    """Return all of them; some are refused by admission."""
    site, image = ground.site, ground.image
    tap = {"name": "tap", "image": image, "command": ["sleep", "3600"], "securityContext": RESTRICTED}
    first = {"name": "first", "image": image, "command": ["true"], "securityContext": RESTRICTED}
    scrape, inject = "prometheus.io/scrape", "sidecar.istio.io/inject"
    raised = "payment"
    # fmt: off
    return [
        patched("sidecar added", site, SHOP, f"{P}.containers[name=tap]", Edit((*POD, "containers", END), tap)),
        patched("sidecar added", site, PAYMENTS, f"{P}.initContainers[name=first]",
                Edit((*POD, "initContainers", END), first)),
        patched("environment variable", site, SHOP, f"{S}.env[name=HTTPS_PROXY]",
                Edit((*BOX["shop"], "env", END), {"name": "HTTPS_PROXY", "value": "http://10.9.9.9:3128"})),
        patched("environment variable", site, PAYMENTS, f"{Y}.env[name=PSP_URL].value",
                Edit((*BOX["payments"], "env", {"name": "PSP_URL"}, "value"), "http://10.9.9.9/accounts/other")),
        patched("environment variable", site, GATEWAY, f"{G}.env[name=LD_PRELOAD]",
                Edit((*BOX["gateway"], "env", END), {"name": "LD_PRELOAD", "value": "/tmp/tap.so"})),
        patched("environment variable", site, PAYMENTS, f"{Y}.env[name=PGSSLMODE]",
                Edit((*BOX["payments"], "env", END), {"name": "PGSSLMODE", "value": "disable"}), manager="manager"),
        patched("image changed", site, GATEWAY, f"{G}.image",
                Edit((*BOX["gateway"], "image"), "localhost/shopsphere/gateway:2.5")),
        patched("image changed", site, SHOP, f"{S}.image",
                Edit((*BOX["shop"], "image"), "localhost/shopsphere/shop:0.0.9")),
        patched("image changed", site, PAYMENTS, f"{P}.initContainers[name=await-schema].image",
                Edit((*POD, "initContainers", {"name": "await-schema"}, "image"), "localhost/shopsphere/shop:0.0.9")),
        patched("replicas changed", site, GATEWAY, "spec.replicas", Edit(("spec", "replicas"), 3)),
        patched("replicas changed", site, PAYMENTS, "spec.replicas", Edit(("spec", "replicas"), 1)),
        patched("annotation that changes behaviour", site, SHOP, f'spec.template.metadata.annotations["{scrape}"]',
                Edit((*TEMPLATE, "annotations", scrape), "true")),
        patched("annotation that changes behaviour", site, GATEWAY, f'spec.template.metadata.annotations["{inject}"]',
                Edit((*TEMPLATE, "annotations", inject), "true")),
        patched("command, probe or rollout", site, PAYMENTS, f"{Y}.args",
                Edit((*BOX["payments"], "args"), ["--debug"])),
        patched("command, probe or rollout", site, SHOP, f"{S}.readinessProbe.httpGet.path",
                Edit((*BOX["shop"], "readinessProbe", "httpGet", "path"), "/")),
        patched("command, probe or rollout", site, GATEWAY, "spec.strategy.rollingUpdate.maxUnavailable",
                Edit(("spec", "strategy", "rollingUpdate", "maxUnavailable"), 1)),
        patched("command, probe or rollout", site, SHOP, f"{S}.lifecycle", Edit((*BOX["shop"], "lifecycle"))),
        patched("pod's security weakened", site, PAYMENTS, f"{Y}.securityContext.readOnlyRootFilesystem",
                Edit((*BOX["payments"], "securityContext", "readOnlyRootFilesystem"), value=False)),
        patched("volume changed", site, SHOP, f"{P}.volumes[name=tmp].emptyDir.sizeLimit",
                Edit((*POD, "volumes", {"name": "tmp"}, "emptyDir", "sizeLimit"), "512Mi")),
        patched("volume changed", site, SHOP, f"{P}.volumes[name=loot]",
                Edit((*POD, "volumes", END), {"name": "loot", "secret": {"secretName": "shop-settings"}})),
        patched("label of class", site, SHOP, f'metadata.labels["{DATA_CLASS_LABEL}"]',
                Edit(("metadata", "labels", DATA_CLASS_LABEL), raised),
                Edit((*TEMPLATE, "labels", DATA_CLASS_LABEL), raised)),
        # What admission is there for.
        patched("label of class", site, PAYMENTS, f'metadata.labels["{DATA_CLASS_LABEL}"]',
                Edit(("metadata", "labels", DATA_CLASS_LABEL), "public")),
        patched("image changed", site, PAYMENTS, f"{Y}.image",
                Edit((*BOX["payments"], "image"), "docker.io/evil/tap:1")),
        patched("sidecar added", site, GATEWAY, f"{P}.containers[name=tap]",
                Edit((*POD, "containers", END), {**tap, "image": "evil/tap"})),
        patched("environment variable", site, SHOP, f"{S}.envFrom[0]",
                Edit((*BOX["shop"], "envFrom", END), {"secretRef": {"name": "other"}})),
        patched("pod's security weakened", site, SHOP, f"{P}.hostNetwork", Edit((*POD, "hostNetwork"), value=True)),
        patched("pod's security weakened", site, GATEWAY, f"{G}.securityContext.allowPrivilegeEscalation",
                Edit((*BOX["gateway"], "securityContext", "allowPrivilegeEscalation"), value=True)),
        patched("volume changed", site, PAYMENTS, f"{P}.volumes[name=host]",
                Edit((*POD, "volumes", END), {"name": "host", "hostPath": {"path": "/"}})),
        *_undeclared(ground),
    ]
    # fmt: on


def _undeclared(ground: Ground) -> list[Injection]:
    """Return workloads that nobody declared; none of them does any work."""
    labels = {**ground.labels["personal"], "app.kubernetes.io/name": MARK}
    pod = {
        "automountServiceAccountToken": False,
        "restartPolicy": "Always",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {"name": MARK, "image": ground.image, "command": ["sleep", "3600"], "securityContext": RESTRICTED}
        ],
    }

    def document(version: str, kind: str, spec: object, suffix: str = "") -> dict[str, object]:
        metadata = {"name": f"{MARK}{suffix}", "namespace": "shop", "labels": labels}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}

    sort, site = "undeclared workload", ground.site
    template = {"metadata": {"labels": labels}, "spec": pod}
    job = {"suspend": True, "template": {**template, "spec": {**pod, "restartPolicy": "Never"}}}
    selector = {"matchLabels": {"app.kubernetes.io/name": MARK}}
    nightly = {"schedule": "0 3 * * *", "jobTemplate": {"spec": job}}
    return [
        made(
            sort, site, document("apps/v1", "Deployment", {"replicas": 0, "selector": selector, "template": template})
        ),
        made(sort, site, document("batch/v1", "Job", job), user=CONTROLLER),
        made(sort, site, document("v1", "Pod", pod, "-pod"), user=CONTROLLER),
        made(sort, site, document("batch/v1", "CronJob", nightly)),
        made(sort, site, document("v1", "Pod", pod, "-refused")),
    ]
