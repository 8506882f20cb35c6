"""CloudNativePG's Cluster as components/postgres_spec.py writes it. Backups, plugins and archives are not in it."""

from __future__ import annotations

from collections.abc import Mapping

from policies.listing.metadata import ANNOTATIONS, LABELS, object_of
from policies.listing.pods import RESOURCES
from policies.listing.shape import ListedType, Only, Shape
from shopsphere.estate.placement import DATA_CLASS_LABEL, LOST_NODE_TAINTS, SITE_LABEL

SECRET_KEY: Mapping[str, Shape] = {"name": "secret of the same namespace", "key": "its key"}
DATABASE: Mapping[str, Shape] = {
    "database": "name of the database",
    "owner": "role that owns it",
    "secret": {"name": "secret of the same namespace with the owner's password"},
}
BOOTSTRAP: Mapping[str, Shape] = {
    "initdb": {
        **DATABASE,
        "dataChecksums": "checks of pages",
        "encoding": "encoding of text",
        "postInitSQL": "statements of the superuser; RES-011 judges each",
        "postInitApplicationSQL": "statements of the superuser; RES-011 judges each",
    },
    "pg_basebackup": {**DATABASE, "source": "member of the pair; RES-010 judges it"},
}
EXTERNAL_CLUSTER: Mapping[str, Shape] = {
    "name": "member of the pair; RES-010 judges it",
    "connectionParameters": {
        "host": "RES-010 judges it",
        "port": "port of that host",
        "user": "role of the replication",
        "dbname": "database that it logs in to",
        "sslmode": "RES-011 judges it",
        "connect_timeout": "time",
    },
    "sslCert": SECRET_KEY,
    "sslKey": SECRET_KEY,
    "sslRootCert": SECRET_KEY,
}
REPLICATION_SERVICE: Mapping[str, Shape] = {
    "selectorType": "which instance of this cluster",
    "serviceTemplate": {
        "metadata": {"name": "its name"},
        "spec": {
            "type": "NET-003 judges it",
            "externalTrafficPolicy": "keeps the peer's address for the network policies",
            "ports": (
                {
                    "name": "for people",
                    "port": "port of the service",
                    "targetPort": "port of the pods",
                    "nodePort": "where the peer finds it, if NetworkPolicies let it",
                    "protocol": "protocol",
                },
            ),
        },
    },
}
POSTGRESQL: Mapping[str, Shape] = {
    "parameters": {
        "shared_buffers": "memory",
        "wal_keep_size": "WAL that stays on this volume",
        "max_standby_streaming_delay": "time",
        "wal_sender_timeout": "time",
        "wal_receiver_timeout": "time",
        "wal_retrieve_retry_interval": "time",
    },
    "pg_hba": "who may connect how, before CloudNativePG's own last line; RES-011 judges each",
    "synchronous": {
        "method": "how many must confirm",
        "number": "how many must confirm",
        "maxStandbyNamesFromCluster": "how many must confirm",
        "standbyNamesPre": "members of the pair; RES-010 judges them",
        "dataDurability": "what a commit waits for",
    },
}
LOGIN: Mapping[str, Shape] = {
    "name": "a program's role; RES-011 judges it",
    "ensure": Only("a role that is absent takes the program's rights away", ("present",)),
    "login": "that it may log in",
    "inherit": "rights of roles that it is a member of: of none",
    "connectionLimit": "count",
    "passwordSecret": {"name": "secret of the same namespace"},
}
SPEC: Mapping[str, Shape] = {
    "instances": "how many",
    "imageName": "what runs; SEC-002 judges where it comes from",
    "imagePullPolicy": "when it is pulled, not from where",
    "priorityClassName": "who goes first when there is no room",
    "enableSuperuserAccess": Only("a superuser of the network can copy everything", (False,)),
    "inheritedMetadata": {"labels": LABELS},
    "affinity": {
        "nodeSelector": {SITE_LABEL: "the site's nodes"},
        "enablePodAntiAffinity": "whether instances keep apart within the site",
        "podAntiAffinityType": "whether instances keep apart within the site",
        "topologyKey": "what instances keep apart by: among the nodes that nodeSelector has",
        "tolerations": (
            {
                "key": Only("it runs on nodes that were set apart", LOST_NODE_TAINTS),
                "operator": "whether the taint's value counts: it has none",
                "effect": Only("it runs on nodes that were set apart", ("NoExecute",)),
                "tolerationSeconds": "how long it stays on a node that is lost",
            },
        ),
    },
    "resources": RESOURCES,
    "storage": {
        "size": "size; LIM-007 judges it",
        "storageClass": "RES-005 judges it",
        "pvcTemplate": {
            "accessModes": "how pods of the site mount it",
            "selector": {"matchLabels": {DATA_CLASS_LABEL: "volumes of this class; RES-009 judges it"}},
        },
    },
    "switchoverDelay": "time",
    "smartShutdownTimeout": "time",
    "stopDelay": "time",
    "primaryLease": {
        f"{what}Seconds": "time" for what in ("leaseDuration", "renewDeadline", "retryPeriod", "releasedLeaseDuration")
    },
    "certificates": dict.fromkeys(
        ("serverCASecret", "serverTLSSecret", "clientCASecret", "replicationTLSSecret"), "secret of the same namespace"
    ),
    "postgresql": POSTGRESQL,
    "bootstrap": BOOTSTRAP,
    "replica": dict.fromkeys(("self", "primary", "source"), "member of the pair; RES-010 judges it"),
    "externalClusters": (EXTERNAL_CLUSTER,),
    "managed": {"roles": (LOGIN,), "services": {"additional": (REPLICATION_SERVICE,)}},
}
DATABASES: Mapping[str, ListedType] = {
    "kubernetes:postgresql.cnpg.io/v1:Cluster": ListedType(
        "A database of a pair; RES-010 keeps its copies at the pair's two sites.",
        object_of(
            annotations={**ANNOTATIONS, "cnpg.io/skipWalArchiving": "no archive is written"},
            spec=SPEC,
        ),
    )
}
