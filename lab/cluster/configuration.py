"""Configuration files of a site's container runtime, kubelet, pod network and API server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from lab.cluster.credentials import ADMINISTRATOR, Credentials
from lab.cluster.nodes import LabNode
from lab.host import cgroups
from lab.paths import disk_directory, run_directory
from policies.admission.printed import configuration_yaml, guard_yaml
from shopsphere.topology import Site, Topology

_PAUSE_IMAGE = "localhost/shopsphere/pause:1"
_CNI_PLUGINS = "/usr/lib/cni"
_MTU = 9000  # that of the WAN: small pod frames would cost the switch six times the work


def containerd_socket(host: str) -> Path:
    """Where a node's containerd listens; outside the host's private /run, so that images can be brought in."""
    return run_directory(host) / "containerd.sock"


def write_containerd(node: LabNode) -> Path:
    """Write containerd's configuration and return its path."""
    disk, run = disk_directory(node.name), run_directory(node.name)
    cni = disk / "cni"
    cni.mkdir(parents=True, exist_ok=True)
    (cni / "10-pods.conflist").write_text(json.dumps(_pod_network(node, run), indent=2))
    file = disk / "containerd.toml"
    file.write_text(f"""\
version = 2
root = "{disk}/containerd"
state = "{run}/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]  # it would write to /opt
[grpc]
  address = "{containerd_socket(node.name)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{_PAUSE_IMAGE}"
  restrict_oom_score_adj = true  # a lab may run without CAP_SYS_RESOURCE
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{_CNI_PLUGINS}"
    conf_dir = "{cni}"
""")
    return file


def _pod_network(node: LabNode, run: Path) -> dict[str, Any]:
    # The controller manager gives the first node the same range. What it gives further ones is not used by anything.
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": not node.has_others,  # lab/cluster/nodes.py does it where a site's pods have several networks
        "hairpinMode": True,
        "mtu": _MTU,
        "ipam": {
            "type": "host-local",
            "dataDir": str(run / "ipam"),
            "ranges": [[{"subnet": str(node.pods)}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    port_map = {"type": "portmap", "capabilities": {"portMappings": True}}
    # A standby's WAL receiver has no bound of its own on a connection that nobody answers: by the kernel's usual six
    # tries it waits 130 s before it asks the next node of its peer's site, and the ledger's commits wait with it.
    # Whoever only waits for an answer, as pg_rewind does, notices after 30 s that nobody is there, not after two hours.
    patience = {"syn_retries": 1, "keepalive_time": 15, "keepalive_intvl": 5, "keepalive_probes": 3}
    soon = {"type": "tuning", "sysctl": {f"net.ipv4.tcp_{name}": str(value) for name, value in patience.items()}}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, port_map, soon]}


def write_kubelet(node: LabNode, credentials: Credentials) -> Path:
    """Write the kubelet's configuration and return its path."""
    site = node.site
    document = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroups.pods_cgroup(node.name),
        "containerRuntimeEndpoint": f"unix://{containerd_socket(node.name)}",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(credentials.authority.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDNS": [str(dns_address(site))],
        "clusterDomain": "cluster.local",
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "imageMinimumGCAge": "8760h",  # images cannot be pulled again: there is no registry
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "enforceNodeAllocatable": [],
        "volumePluginDir": str(disk_directory(node.name) / "kubelet" / "plugins"),
        "nodeStatusUpdateFrequency": "10s",
        "nodeStatusReportFrequency": "5m",
        # A sign of life every quarter of it. Of a site's only node nobody waits for one: no pod can be moved from it.
        "nodeLeaseDurationSeconds": 8 if node.has_others else 160,
        # A database's container ends when another instance leads, which counts as a crash: else up to 5 min of rest.
        "crashLoopBackOff": {"maxContainerRestartPeriod": "20s"},
        "maxPods": 110,
    }
    file = disk_directory(node.name) / "kubelet.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def write_admission(site: Site) -> Path:
    """Write who may change admission policies, and the API server's file that names it; return that file's path."""
    directory = disk_directory(site.name) / "admission"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "guard.yaml").write_text(guard_yaml([ADMINISTRATOR]))
    file = disk_directory(site.name) / "admission.yaml"
    file.write_text(configuration_yaml(directory))
    return file


def node_labels(node: LabNode, topology: Topology) -> dict[str, str]:
    """Labels of a node: where it is, and which racks it stands for."""
    site = node.site
    return {
        "topology.kubernetes.io/region": topology.jurisdiction_of(site.name),
        "topology.kubernetes.io/zone": site.name,
        "shopsphere.io/site": site.name,
        "shopsphere.io/rack": f"r{node.racks[0]}",
        "shopsphere.io/racks": str(len(node.racks)),
        **{f"rack.shopsphere.io/r{number}": "present" for number in node.racks},
    }


def dns_address(site: Site) -> Any:
    """Service address of the cluster's DNS."""
    return site.service_network[10]
