"""Configuration files of a site's container runtime, kubelet, pod network and API server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from lab.cluster.credentials import ADMINISTRATOR, Credentials
from lab.host import cgroups
from lab.paths import disk_directory, run_directory
from policies.admission.printed import configuration_yaml, guard_yaml
from shopsphere.topology import Site, Topology

_PAUSE_IMAGE = "localhost/shopsphere/pause:1"
_CNI_PLUGINS = "/usr/lib/cni"
_MTU = 9000  # that of the WAN: small pod frames would cost the switch six times the work


def containerd_socket(site: str) -> Path:
    """Where a site's containerd listens; outside the host's private /run, so that images can be brought in."""
    return run_directory(site) / "containerd.sock"


def write_containerd(site: Site) -> Path:
    """Write containerd's configuration and return its path."""
    disk, run = disk_directory(site.name), run_directory(site.name)
    cni = disk / "cni"
    cni.mkdir(parents=True, exist_ok=True)
    (cni / "10-pods.conflist").write_text(json.dumps(_pod_network(site, run), indent=2))
    file = disk / "containerd.toml"
    file.write_text(f"""\
version = 2
root = "{disk}/containerd"
state = "{run}/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]  # it would write to /opt
[grpc]
  address = "{containerd_socket(site.name)}"
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


def _pod_network(site: Site, run: Path) -> dict[str, Any]:
    first = next(site.pod_network.subnets(new_prefix=24))  # the controller manager gives the first node this range
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "mtu": _MTU,
        "ipam": {
            "type": "host-local",
            "dataDir": str(run / "ipam"),
            "ranges": [[{"subnet": str(first)}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return {
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}],
    }


def write_kubelet(site: Site, credentials: Credentials) -> Path:
    """Write the kubelet's configuration and return its path."""
    document = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroups.pods_cgroup(site.name),
        "containerRuntimeEndpoint": f"unix://{containerd_socket(site.name)}",
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
        "volumePluginDir": str(disk_directory(site.name) / "kubelet" / "plugins"),
        # A site has one node: nobody moves pods away from it, so nobody waits for its signs of life.
        "nodeStatusUpdateFrequency": "10s",
        "nodeStatusReportFrequency": "5m",
        "nodeLeaseDurationSeconds": 160,
        "maxPods": 110,
    }
    file = disk_directory(site.name) / "kubelet.yaml"
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


def node_labels(site: Site, topology: Topology) -> dict[str, str]:
    """Labels of a site's node: where it is, and which racks it stands for."""
    return {
        "topology.kubernetes.io/region": topology.jurisdiction_of(site.name),
        "topology.kubernetes.io/zone": site.name,
        "shopsphere.io/site": site.name,
        "shopsphere.io/rack": "r1",
        "shopsphere.io/racks": str(site.racks),
        **{f"rack.shopsphere.io/r{number}": "present" for number in range(1, site.racks + 1)},
    }


def dns_address(site: Site) -> Any:
    """Service address of the cluster's DNS."""
    return site.service_network[10]
