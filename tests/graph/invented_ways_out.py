"""More ways out of the same kinds, invented beside those of the review."""

from __future__ import annotations

import yaml
from kubeconfigs import kubeconfig
from ways_out import EDGE, NEWYORK, WayOut, added, by_provider, changed

DATABASE = ("Cluster", "ledger-frankfurt", "spec")
POD = ("Deployment", "payments", "spec", "template", "spec")
CONTAINER = (*POD, "containers", 0)
EU = {
    "app.kubernetes.io/name": "x",
    "shopsphere.io/jurisdiction": "eu",
    "shopsphere.io/site": "frankfurt",
    "shopsphere.io/owner": "storefront",
    "shopsphere.io/data-class": "personal",
}
HERE = {"metadata": {"name": "x", "namespace": "shop", "labels": EU}}
PROXIED = yaml.safe_dump(
    kubeconfig("production", "https://198.51.100.11:6443", **{"proxy-url": "http://proxy.us.example:3128"})
)
ANYBODY = yaml.safe_dump(kubeconfig("production", "https://198.51.100.11:6443", **{"insecure-skip-tls-verify": True}))
CDN = ("CdnDistribution", "static")
CLAIM = {
    "metadata": {"name": "x", "namespace": "shop", "labels": EU},
    "spec": {"storageClassName": "frankfurt-pinned", "dataSource": {"kind": "VolumeSnapshot", "name": "us"}},
}

INVENTED = {
    "continuous archive by a parameter": WayOut(
        "RES-011",
        "parameters.archive_command",
        changed(*DATABASE, "postgresql", "parameters", "archive_command", "aws s3 cp %p s3://us/%f"),
    ),
    "logical replication by a library": WayOut(
        "RES-011",
        "postgresql.shared_preload_libraries",
        changed(*DATABASE, "postgresql", "shared_preload_libraries", ["pglogical"]),
    ),
    "login without a password": WayOut(
        "RES-011",
        "pg_hba[0]: host all all all trust",
        changed(*DATABASE, "postgresql", "pg_hba", ["host all all all trust"]),
    ),
    "login beside the owner's": WayOut(
        "RES-011", "spec.managed.roles", changed(*DATABASE, "managed", "roles", [{"name": "crm", "superuser": True}])
    ),
    "superuser over the network": WayOut(
        "RES-011", "spec.enableSuperuserAccess", changed(*DATABASE, "enableSuperuserAccess", True)
    ),
    "statements out of a ConfigMap": WayOut(
        "RES-011",
        "postInitApplicationSQLRefs",
        changed(*DATABASE, "bootstrap", "initdb", "postInitApplicationSQLRefs", {"configMapRefs": [{"name": "x"}]}),
    ),
    "publication of all tables": WayOut(
        "RES-011", "a Publication", added("kubernetes:postgresql.cnpg.io/v1:Publication", {"spec": {"name": "p"}})
    ),
    "subscription of another jurisdiction": WayOut(
        "RES-010",
        "spec.externalClusterName: ledger-ashburn",
        added(
            "kubernetes:postgresql.cnpg.io/v1:Subscription",
            {"metadata": {"labels": EU}, "spec": {"externalClusterName": "ledger-ashburn"}},
        ),
    ),
    "database's own service with a name outside": WayOut(
        "NET-003",
        "additional[0].serviceTemplate.spec.type: ExternalName",
        changed(*DATABASE, "managed", "services", "additional", 0, "serviceTemplate", "spec", "type", "ExternalName"),
    ),
    "database's service that a cloud balances": WayOut(
        "RES-007",
        "serviceTemplate.metadata.annotations",
        changed(
            *DATABASE, "managed", "services", "additional", 0, "serviceTemplate", "metadata", "annotations", {"a": "b"}
        ),
    ),
    "endpoints of one's own": WayOut(
        "NET-003",
        "address 203.0.113.99",
        added(
            "kubernetes:discovery.k8s.io/v1:EndpointSlice",
            {"metadata": {"labels": EU}, "endpoints": [{"addresses": ["203.0.113.99"]}]},
        ),
    ),
    "service without a selector": WayOut(
        "NET-003", "without a selector", changed("Service", "payments", "spec", "selector", {})
    ),
    "outside addresses taken by a service": WayOut(
        "NET-003", "spec.externalIPs", changed("Service", "payments", "spec", "externalIPs", ["203.0.113.99"])
    ),
    "half of the internet": WayOut(
        "NET-002",
        "128.0.0.0/1",
        changed("NetworkPolicy", "shop-to-dns", "spec", "egress", 1, {"to": [{"ipBlock": {"cidr": "128.0.0.0/1"}}]}),
    ),
    "another jurisdiction's address": WayOut(
        "NET-002",
        "198.51.100.13/32, where ashburn is",
        changed(
            "NetworkPolicy", "data-ledger-to-peer", "spec", "egress", 0, "to", 0, "ipBlock", "cidr", "198.51.100.13/32"
        ),
    ),
    "network around the payment provider": WayOut(
        "NET-002",
        "192.0.0.0/8",
        changed(
            "NetworkPolicy",
            "payments-to-payment-provider",
            "spec",
            "egress",
            0,
            "to",
            0,
            "ipBlock",
            "cidr",
            "192.0.0.0/8",
        ),
    ),
    "database open to everybody": WayOut(
        "NET-002",
        "spec.ingress[0] without `from`: anybody",
        changed("NetworkPolicy", "data-ledger-from-peer", "spec", "ingress", [{"ports": [{"port": 5432}]}]),
    ),
    "policy for some pods in place of the closing one": WayOut(
        "NET-001",
        "Namespace 'payments'",
        changed("NetworkPolicy", "payments-default-deny", "spec", "podSelector", {"matchLabels": {"a": "b"}}),
    ),
    "names asked of a server abroad": WayOut(
        "RES-007",
        "dnsConfig: names are asked of a server",
        changed(*POD, "dnsConfig", {"nameservers": ["8.8.8.8"]}),
    ),
    "an outside address under a service's name": WayOut(
        "RES-007", "hostAliases: it gives an outside address", changed(*POD, "hostAliases", [{"ip": "203.0.113.99"}])
    ),
    "identity at the API server": WayOut(
        "RES-007", "automountServiceAccountToken: True", changed(*POD, "automountServiceAccountToken", True)
    ),
    "disk of the node": WayOut(
        "RES-005", "from hostPath", changed(*POD, "volumes", 1, {"name": "x", "hostPath": {"path": "/srv/volumes"}})
    ),
    "sidecar of a public registry": WayOut(
        "SEC-002",
        "ghcr.io/acme/ship:1",
        changed(*POD, "containers", 1, {"name": "ship", "image": "ghcr.io/acme/ship:1"}),
    ),
    "sidecar that an operator adds": WayOut(
        "RES-007",
        "annotations.vault.hashicorp.com/agent-inject",
        changed(
            "Deployment", "shop", "spec", "template", "metadata", "annotations", "vault.hashicorp.com/agent-inject", "1"
        ),
    ),
    "capabilities": WayOut(
        "RES-007",
        "capabilities.add: a capability lets it change its own network",
        changed(*CONTAINER, "securityContext", "capabilities", {"add": ["NET_ADMIN"]}),
    ),
    "pods called public": WayOut(
        "RES-009",
        "spec.template.metadata.labels: public",
        changed(
            "Deployment", "payments", "spec", "template", "metadata", "labels", "shopsphere.io/data-class", "public"
        ),
    ),
    "namespace called public, and opened to everybody": WayOut(
        "RES-009",
        "in namespace data-ledger: public",
        changed("Namespace", "data-ledger", "metadata", "labels", "shopsphere.io/data-class", "public"),
    ),
    "settings with a database's address, called operational": WayOut(
        "RES-009",
        "it reads ledger",
        added(
            "kubernetes:core/v1:ConfigMap",
            {
                "metadata": {
                    "name": "x",
                    "namespace": "x",
                    "labels": {**EU, "shopsphere.io/data-class": "operational"},
                },
                "data": {"dsn": "postgresql://ledger@ledger.data-ledger.svc/ledger"},
            },
        ),
    ),
    "volume over a driver": WayOut(
        "RES-005",
        "source csi",
        changed(
            "PersistentVolume", "frankfurt-v1", "spec", "csi", {"driver": "efs.csi.aws.com", "volumeHandle": "fs-us"}
        ),
    ),
    "volume from a snapshot": WayOut(
        "RES-007", "PersistentVolumeClaim", added("kubernetes:core/v1:PersistentVolumeClaim", CLAIM)
    ),
    "snapshot": WayOut(
        "RES-007", "a snapshot is a copy", added("kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshot", HERE)
    ),
    "job that copies": WayOut("RES-007", "a job reads and sends", added("kubernetes:batch/v1:CronJob", HERE)),
    "webhook that is sent every object": WayOut(
        "RES-007",
        "a webhook is sent every object",
        added("kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration", HERE),
    ),
    "cluster by a proxy": WayOut("RES-008", "with proxy-url", by_provider(kubeconfig=PROXIED)),
    "cluster that proves nothing": WayOut("RES-008", "with insecure-skip-tls-verify", by_provider(kubeconfig=ANYBODY)),
    "personal data at headquarters, called aggregate": WayOut(
        "RES-003",
        "class personal",
        changed("Namespace", "reporting", "metadata", "labels", "shopsphere.io/data-class", "personal"),
        NEWYORK,
    ),
    "text in the zone": WayOut("RES-031", "type: TXT", changed("DnsRRset", "dublin", "type", "TXT"), EDGE),
    "site's name for an address elsewhere": WayOut(
        "RES-031", "198.51.100.99 as dublin", changed("DnsRRset", "dublin", "records", ["198.51.100.99"]), EDGE
    ),
    "region's name by a program of one's own": WayOut(
        "RES-031",
        "a program that is not the one",
        changed("DnsRRset", "rdc-a", "records", ["A \";return '198.51.100.99'\""]),
        EDGE,
    ),
    "pages of the shop through the CDN": WayOut("RES-030", "path /orders/", changed(*CDN, "paths", ["/orders/"]), EDGE),
    "CDN that fetches from the databases' address": WayOut(
        "RES-031", "origins[0]: 198.51.100.11", changed(*CDN, "origins", 0, "address", "198.51.100.11"), EDGE
    ),
    "CDN of a cloud under any name": WayOut(
        "RES-031",
        "acme:web:Accelerator, of which nobody knows",
        added("acme:web:Accelerator", {"origins": ["203.0.113.11"]}),
        EDGE,
    ),
    "DNS of a cloud": WayOut("RES-007", "type aws:route53/record:Record", added("aws:route53/record:Record", {}), EDGE),
}
