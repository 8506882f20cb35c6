"""The one table of what stacks may declare, and why some things that people try are not in it."""

from __future__ import annotations

from collections.abc import Mapping

from policies.listing.admission import ADMISSION
from policies.listing.cluster_objects import CLUSTER_OBJECTS
from policies.listing.databases import DATABASES
from policies.listing.edge import EDGE, ENGINE
from policies.listing.shape import ListedType

LISTED: Mapping[str, ListedType] = {
    **CLUSTER_OBJECTS,
    **ADMISSION,
    **DATABASES,
    **EDGE,
    **ENGINE,
}
WHY_NO_TYPE: Mapping[str, str] = {
    "rbac.authorization.k8s.io": "who may do more at the API server can make what is refused here",
    "admissionregistration.k8s.io": "a webhook is sent every object of the cluster, secrets too, and may change them",
    "apiextensions.k8s.io": "an operator's new kind makes objects that no rule sees",
    "apiregistration.k8s.io": "an API of one's own is sent what is asked of it",
    "certificates.k8s.io": "a certificate is an identity at the API server",
    "snapshot.storage.k8s.io": "a snapshot is a copy, and its driver says where",
    "barmancloud.cnpg.io": "an object store of backups may be anywhere, and a backup is a copy of everything",
    "gateway.networking.k8s.io": "another way in and out, past the site's gateway",
    "networking.istio.io": "another way in and out, past the site's gateway",
    "cilium.io": "policies of another kind are added to the NetworkPolicies, which are judged",
    "policy.networking.k8s.io": "policies of another kind come before the NetworkPolicies, which are judged",
    "batch": "a job reads and sends like any pod, and nothing shows that it did when it has ended",
    "command": "a command of the shell at deployment may send anything anywhere",
    "pulumi-python": "a provider of one's own may send anything anywhere",
    "pulumi-nodejs": "a provider of one's own may send anything anywhere",
    "pulumi": "a reference or a provider whose destination nobody has judged",
}
"""Why types of a group or a provider are not listed, where that can be said."""
WHY_NO_FIELD: Mapping[str, str] = {
    "hostNetwork": "its packets are the node's, and no NetworkPolicy judges them",
    "hostPID": "it sees every process of the node",
    "hostIPC": "it shares memory with every process of the node",
    "hostPort": "it is reached at the node's address, past the gateway",
    "hostPath": "it reads the node's disk, other pods' volumes among it",
    "hostAliases": "it gives an outside address the name of a service",
    "dnsConfig": "names are asked of a server that may be anywhere, and a question carries data",
    "dnsPolicy": "names are asked of a server that may be anywhere, and a question carries data",
    "privileged": "it is root of the node",
    "add": "a capability lets it change its own network",
    "procMount": "it sees the node's kernel settings",
    "serviceAccountName": "an identity at the API server can make what is refused here",
    "ephemeralContainers": "a container beside the one that is judged",
    "imagePullSecrets": "a registry that is not the jurisdiction's",
    "nodeName": "it passes over the scheduler, and with it over the site's racks and power",
    "runtimeClassName": "another runtime may have another network",
    "tolerations": "it runs on nodes that were set apart",
    "envFrom": "RES-009 cannot see which settings a pod reads",
    "schedulerName": "another scheduler knows nothing of racks and power",
    "backup": "a backup is a copy of everything, and a store may be anywhere",
    "plugins": "a plugin may copy WAL and backups anywhere",
    "monitoring": "queries of a monitoring send rows to whoever asks",
    "externalName": "it gives an outside address the name of a service",
    "externalIPs": "traffic to addresses outside is taken, and names of the cluster lead to them",
    "parameters": "a driver's parameters say where its volumes are",
    "mountOptions": "options of a file system may name a server",
    "csi": "a driver says where its volumes are, and it may be anywhere",
    "nfs": "a server that may be anywhere",
    "binaryData": "RES-009 cannot read it",
}
"""What a field that is not listed would do, where that can be said."""
