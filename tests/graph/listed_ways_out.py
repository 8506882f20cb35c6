"""The 18 ways out that a review of this repository planted and that passed, and what has to refuse each now."""

from __future__ import annotations

import yaml
from kubeconfigs import kubeconfig
from ways_out import NEWYORK, WayOut, added, all_of, by_provider, changed, without

DATABASE = ("Cluster", "commerce-frankfurt", "spec")
POD = ("Deployment", "shop", "spec", "template", "spec")
CONTAINER = (*POD, "containers", 0)
HQ = {
    "app.kubernetes.io/name": "orders",
    "shopsphere.io/jurisdiction": "headquarters",
    "shopsphere.io/site": "newyork",
    "shopsphere.io/owner": "reporting",
}
AGGREGATE = {**HQ, "shopsphere.io/data-class": "aggregate"}
ORDERS_HOST = "orders-newyork-rw.reporting.svc"
ORDERS = {
    "metadata": {"name": "orders-newyork", "namespace": "reporting", "labels": AGGREGATE},
    "spec": {
        "instances": 1,
        "inheritedMetadata": {"labels": AGGREGATE},
        "bootstrap": {"pg_basebackup": {"source": "orders-newyork"}},
        "externalClusters": [
            {
                "name": "orders-newyork",
                "connectionParameters": {"host": ORDERS_HOST, "sslmode": "verify-ca"},
                "sslRootCert": {"name": "pair-ca", "key": "ca.crt"},
            }
        ],
    },
}
ORDERS_NAME = {
    "metadata": {"name": "orders-newyork-rw", "namespace": "reporting", "labels": AGGREGATE},
    "spec": {"type": "ExternalName", "externalName": "frankfurt.shop.example"},
}
PUBLIC_CRM = {**HQ, "app.kubernetes.io/name": "crm", "shopsphere.io/data-class": "public"}
DSN = "postgresql://commerce@frankfurt.shop.example:30032/commerce"
CRM = {
    "metadata": {"name": "crm", "namespace": "crm", "labels": PUBLIC_CRM},
    "spec": {
        "template": {
            "metadata": {"labels": PUBLIC_CRM},
            "spec": {"containers": [{"name": "crm", "env": [{"name": "COMMERCE_DSN", "value": DSN}]}]},
        }
    },
}
ELSEWHERE = yaml.safe_dump(kubeconfig("production", "https://198.51.100.13:6443"))  # Ashburn's address
FOREIGN = "CREATE SERVER us FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'acme.us-east-1')"
CLUSTER_ADMIN = {
    "metadata": {"name": "all"},
    "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"kind": "Group", "name": "system:serviceaccounts"}],
}

LISTED = {
    "1 backup of a database to a store abroad": WayOut(
        "RES-011",
        "spec.backup",
        changed(*DATABASE, "backup", {"barmanObjectStore": {"destinationPath": "s3://acme-us-east-1/eu-customers"}}),
    ),
    "2a the same backup by a plugin": WayOut(
        "RES-011", "spec.plugins", changed(*DATABASE, "plugins", [{"name": "barman-cloud.cloudnative-pg.io"}])
    ),
    "2b the plugin's store": WayOut(
        "RES-011",
        "a ObjectStore",
        added(
            "kubernetes:barmancloud.cnpg.io/v1:ObjectStore", {"spec": {"configuration": {"destinationPath": "s3://x"}}}
        ),
    ),
    "3a a copy of a European database at headquarters": WayOut(
        "RES-010",
        f"connectionParameters.host: {ORDERS_HOST}",
        added("kubernetes:postgresql.cnpg.io/v1:Cluster", ORDERS),
        NEWYORK,
    ),
    "3b the name that leads to it": WayOut(
        "NET-003", "spec.type: ExternalName", added("kubernetes:core/v1:Service", ORDERS_NAME), NEWYORK
    ),
    "4 another site's kubeconfig": WayOut("RES-008", "https://198.51.100.13", by_provider(kubeconfig=ELSEWHERE)),
    "5a database of a cloud": WayOut(
        "RES-007",
        "type aws:rds/instance:Instance",
        added("aws:rds/instance:Instance", {"availabilityZone": "us-east-1a"}),
    ),
    "5b bucket of a cloud": WayOut("RES-007", "type aws:s3/bucket:Bucket", added("aws:s3/bucket:Bucket", {})),
    "6a resource of one's own type": WayOut(
        "RES-007", "a provider of one's own", added("pulumi-python:dynamic/acme:Mirror", {"__provider": "gASV"})
    ),
    "6b command at deployment": WayOut(
        "RES-007", "a command of the shell", added("command:local:Command", {"create": "pg_dump | nc"})
    ),
    "8 storage class of a driver": WayOut(
        "RES-005",
        "provisioner: nfs.csi.k8s.io",
        changed("StorageClass", "frankfurt-pinned", "provisioner", "nfs.csi.k8s.io"),
    ),
    "9 foreign tables at the creation": WayOut(
        "RES-011", "postgres_fdw", changed(*DATABASE, "bootstrap", "initdb", "postInitApplicationSQL", 2, FOREIGN)
    ),
    "11a policy that opens everything": WayOut(
        "NET-002",
        "spec.egress[0] without `to`: anybody",
        changed("NetworkPolicy", "shop-to-dns", "spec", "egress", [{}]),
    ),
    "11b network of the node": WayOut(
        "RES-007", "hostNetwork: its packets are the node's", changed(*POD, "hostNetwork", True)
    ),
    "11c image of a public registry": WayOut(
        "SEC-002", "docker.io/acme/shop:latest", changed(*CONTAINER, "image", "docker.io/acme/shop:latest")
    ),
    "12 everybody an administrator": WayOut(
        "RES-007",
        "type kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding: who may do more",
        added("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", CLUSTER_ADMIN),
    ),
    "13a namespace that takes any pod": WayOut(
        "SEC-001",
        "enforce: privileged",
        changed("Namespace", "shop", "metadata", "labels", "pod-security.kubernetes.io/enforce", "privileged"),
    ),
    "13b namespace that nothing closes": WayOut(
        "NET-001", "Namespace 'shop'", without("NetworkPolicy", "shop-default-deny")
    ),
    "15 customer records at headquarters, called public": WayOut(
        "RES-009", "it reads commerce", added("kubernetes:apps/v1:Deployment", CRM), NEWYORK
    ),
    "17 replication in the clear": WayOut(
        "RES-011",
        "sslmode: disable",
        changed(*DATABASE, "externalClusters", 0, "connectionParameters", "sslmode", "disable"),
    ),
    "11d privileged container": WayOut(
        "RES-007", "privileged: it is root of the node", changed(*CONTAINER, "securityContext", "privileged", True)
    ),
    "3 both together": WayOut(
        "RES-007",
        "spec.externalName",
        all_of(
            added("kubernetes:postgresql.cnpg.io/v1:Cluster", ORDERS), added("kubernetes:core/v1:Service", ORDERS_NAME)
        ),
        NEWYORK,
    ),
}
"""Numbered as in the review; what was several declarations there is several here."""
