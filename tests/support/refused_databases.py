"""Fields of a database by which its pods would read a secret, or run something, that nobody declared."""

from __future__ import annotations

from admission_case import LEDGER, OUTSIDE, SERVICE_LOGIN, Case, planted

OWNER = {"name": "ledger-owner", "key": "password"}
INSTANCE = {"op": "add", "path": "/spec/containers/1", "value": {"name": "tap", "image": "registry.example/tap:1"}}


def database(*path: str | int, value: object) -> Case:
    """The ledger of Frankfurt with one change."""
    return Case("RES-007", *LEDGER, ("spec", *path), value)


def kind(name: str, /, **spec: object) -> Case:
    """An object of the database operator's beside it."""
    return Case("RES-007", added=planted("postgresql.cnpg.io/v1", name, "data-ledger", "payment", spec=spec))


# fmt: off
REFUSED_DATABASES: dict[str, Case] = {
    "instances with a secret in their settings":
        database("env", value=[{"name": "OWNER", "valueFrom": {"secretKeyRef": OWNER}}]),
    "instances with plain settings": database("env", value=[{"name": "LD_PRELOAD", "value": "/tmp/a.so"}]),
    "instances with all of a secret": database("envFrom", value=[{"secretRef": {"name": "ledger-owner"}}]),
    "instances with a secret as files":
        database("projectedVolumeTemplate", value={"sources": [{"secret": {"name": "ledger-owner"}}]}),
    "instances with a volume of their own":
        database("ephemeralVolumeSource", value={"volumeClaimTemplate": {"spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}),
    "instances of a catalogue":
        Case("SEC-002", *LEDGER, ("spec", "imageCatalogRef"),
             {"apiGroup": "postgresql.cnpg.io", "kind": "ImageCatalog", "name": "mine", "major": 15},
             (("spec", "imageName", None),)),
    "instances of a registry of their own": database("imagePullSecrets", value=[{"name": "theirs"}]),
    "instances with a scheduler of their own": database("schedulerName", value="mine"),
    "instances with an identity of their own": database("serviceAccountName", value="admin"),
    "instances whose identity is noted":
        database("serviceAccountTemplate", value={"metadata": {"annotations": {"eks.amazonaws.com/role-arn": "a"}}}),
    "instances with rights of their own": database("securityContext", value={"capabilities": {"add": ["NET_ADMIN"]}}),
    "pods with rights of their own": database("podSecurityContext", value={"runAsUser": 0}),
    "pods with system calls of their own": database("seccompProfile", value={"type": "Unconfined"}),
    "instances on nodes that were set apart":
        database("affinity", "tolerations", value=[{"operator": "Exists"}]),
    "instances on nodes that were set apart by a name":
        database("affinity", "tolerations", value=[{"key": "gpu", "operator": "Exists", "effect": "NoExecute"}]),
    "instances on nodes that take no more":
        database("affinity", "tolerations", value=[
            {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoSchedule"}]),
    "instances beside other pods":
        database("affinity", "additionalPodAffinity", value={"preferredDuringSchedulingIgnoredDuringExecution": []}),
    "instances with notes for operators":
        database("inheritedMetadata", "annotations", value={"sidecar.istio.io/inject": "true"}),
    "instances with a device": database("resources", "claims", value=[{"name": "gpu"}]),
    "instances on somebody's volume": database("storage", "pvcTemplate", "volumeName", value="frankfurt-v1"),
    "instances on a copy of a volume":
        database("storage", "pvcTemplate", "dataSource", value={"kind": "PersistentVolumeClaim", "name": "old"}),
    "words for initdb": database("bootstrap", "initdb", "options", value=["--pwfile=/projected/x"]),
    "let in by pods' labels":
        database("podSelectorRefs", value=[{"name": "a", "selector": {"matchLabels": {"a": "b"}}}]),
    "peer with words of its own": Case("RES-007", *LEDGER, (*OUTSIDE, "connectionParameters", "options"), "-c a=b"),
    "peer with a file for its key":
        Case("RES-007", *LEDGER, (*OUTSIDE, "connectionParameters", "passfile"), "/projected/x"),
    "service with notes for operators": Case(
        "RES-007", *LEDGER,
        ("spec", "managed", "services", "additional", 0, "serviceTemplate", "metadata", "annotations"),
        {"external-dns.alpha.kubernetes.io/hostname": "ledger.example"}),
    "login that is taken away": Case("RES-007", *LEDGER, (*SERVICE_LOGIN, "ensure"), "absent"),
    "pods that are patched":
        Case("RES-007", *LEDGER, ("metadata", "annotations", "cnpg.io/podPatch"), f"[{INSTANCE}]"),
    "checks that are left out": Case("RES-007", *LEDGER, ("metadata", "annotations", "cnpg.io/validation"), "disabled"),
    "a way in for profilers":
        Case("RES-007", *LEDGER, ("metadata", "annotations", "alpha.cnpg.io/enableInstancePprof"), "true"),
    "database by its own document":
        kind("Database", name="more", owner="ledger", cluster={"name": "ledger-frankfurt"}),
    "catalogue of images": kind("ImageCatalog", images=[{"major": 15, "image": "registry.example/tap:1"}]),
    "catalogue of images for all": Case("RES-007", added=planted(
        "postgresql.cnpg.io/v1", "ClusterImageCatalog", "",
        spec={"images": [{"major": 15, "image": "registry.example/tap:1"}]})),
    "pooler": kind("Pooler", cluster={"name": "ledger-frankfurt"}, type="rw", pgbouncer={"poolMode": "session"}),
}
# fmt: on
