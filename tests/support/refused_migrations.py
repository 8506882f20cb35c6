"""Jobs close to a database's migration, and pods beside a database: each could take the owner's password."""

from __future__ import annotations

from admission_case import MIGRATION, POD, SHOP, SHOP_CONTAINER, TEMPLATE_LABELS, Case

SPEC = ("spec",)
ENV = (*SHOP_CONTAINER, "env")
COMMAND = ["sh", "-c", "env"]
OTHER_SECRET = {"secretKeyRef": {"name": "ledger-service", "key": "password"}}


def job(*path: str | int, value: object) -> Case:
    """The ledger's migration with one change."""
    return Case("RES-007", *MIGRATION, path, value)


# fmt: off
REFUSED_MIGRATIONS: dict[str, Case] = {
    "migration by another name": job("metadata", "name", value="ledger-migration-2"),
    "migration in another namespace": job("metadata", "namespace", value="shop"),
    "migration of the other database": job(*SHOP_CONTAINER, "command", value=["shop", "migrate", "commerce"]),
    "migration with a program at its start":
        job(*SHOP_CONTAINER, "lifecycle", value={"postStart": {"exec": {"command": COMMAND}}}),
    "migration with a program at its end":
        job(*SHOP_CONTAINER, "lifecycle", value={"preStop": {"exec": {"command": COMMAND}}}),
    "migration with a program as a probe":
        job(*SHOP_CONTAINER, "livenessProbe", value={"exec": {"command": COMMAND}}),
    "migration with a program before its start":
        job(*SHOP_CONTAINER, "startupProbe", value={"exec": {"command": COMMAND}}),
    "migration with a path of its own": job(*ENV, 5, value={"name": "PATH", "value": "/tmp"}),
    "migration with modules of its own": job(*ENV, 0, value={"name": "PYTHONPATH", "value": "/tmp"}),
    "migration with a library of its own": job(*ENV, 3, value={"name": "LD_PRELOAD", "value": "/tmp/a.so"}),
    "migration at another server":
        job(*ENV, 0, "value", value="postgresql://ledger@ledger.shop.svc.cluster.local:5432/ledger"),
    "migration that says it is elsewhere": job(*ENV, 3, "value", value="dublin"),
    "migration with another login's password": job(*ENV, 4, "valueFrom", value=OTHER_SECRET),
    "migration with one more secret": job(*ENV, 5, value={"name": "SERVICE", "valueFrom": OTHER_SECRET}),
    "migration with a secret as a volume":
        job(*POD, "volumes", 2, value={"name": "more", "secret": {"secretName": "ledger-service"}}),
    "migration with another authority": job(*POD, "volumes", 1, "secret", "secretName", value="ledger-server"),
    "migration with settings as a volume":
        job(*POD, "volumes", 0, value={"name": "tmp", "configMap": {"name": "planted"}}),
    "migration with a volume over its program":
        job(*SHOP_CONTAINER, "volumeMounts", 0, "mountPath", value="/usr/local/bin"),
    "migration with something beside":
        job(*POD, "containers", 1, value={"name": "b", "image": "registry.example/b:1",
                                          "command": ["shop", "migrate", "ledger"]}),
    "migration with names for addresses":
        job(*POD, "hostAliases", value=[{"ip": "10.11.0.9", "hostnames": ["ledger.data-ledger.svc.cluster.local"]}]),
    "migration whose processes are seen": job(*POD, "shareProcessNamespace", value=True),
    "migration as root": job(*POD, "securityContext", value={"runAsNonRoot": False}),
    "migration that writes its own image":
        job(*SHOP_CONTAINER, "securityContext", "readOnlyRootFilesystem", value=False),
    "migration with a terminal": job(*SHOP_CONTAINER, "stdin", value=True),
    "migration in a folder of its own": job(*SHOP_CONTAINER, "workingDir", value="/tmp"),
    "migration that writes its message elsewhere": job(*SHOP_CONTAINER, "terminationMessagePath", value="/tmp/x"),
    "migration that is always repeated": job(*POD, "restartPolicy", value="Never"),
    "migration that removes itself": job(*SPEC, "ttlSecondsAfterFinished", value=0),
    "migration twice at once": job(*SPEC, "parallelism", value=2),
    "migration twice after each other": job(*SPEC, "completions", value=2),
    "migration that waits": job(*SPEC, "suspend", value=True),
    "migration that is given up": job(*SPEC, "backoffLimit", value=1),
    "migration with an end": job(*SPEC, "activeDeadlineSeconds", value=1),
    "migration with pods of its own": Case(
        "RES-007", *MIGRATION, ("spec", "manualSelector"), True,
        (("spec", "selector", {"matchLabels": {"app.kubernetes.io/name": "ledger-migration"}}),)),
    "migration with the label of an instance": job(*TEMPLATE_LABELS, "cnpg.io/cluster", value="ledger-frankfurt"),
    "migration under the name of a workload": job(*TEMPLATE_LABELS, "app.kubernetes.io/name", value="payments"),
    "migration with notes for operators":
        job("spec", "template", "metadata", "annotations", value={"sidecar.istio.io/inject": "true"}),
    "migration before everything": job(*POD, "priorityClassName", value="system-cluster-critical"),
    "migration with databases' turn": job(*POD, "priorityClassName", value="shopsphere-databases"),
    "migration that has to be elsewhere":
        job(*POD, "topologySpreadConstraints", 0, "whenUnsatisfiable", value="DoNotSchedule"),
    "migration that goes by other labels":
        job(*POD, "topologySpreadConstraints", 0, "topologyKey", value="kubernetes.io/hostname"),
    "migration of another region": job(*ENV, 2, "value", value='{"pair": "rdc-b"}'),
    "workload beside a database": Case("RES-007", *SHOP, ("metadata", "namespace"), "data-ledger"),
}
# fmt: on
