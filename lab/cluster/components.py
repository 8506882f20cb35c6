"""The programs of a site's Kubernetes."""

from __future__ import annotations

from pathlib import Path

from lab.cluster import configuration, guarding
from lab.cluster.credentials import Credentials
from lab.cluster.nodes import LabNode, nodes_of, pod_routes
from lab.component import Component
from lab.paths import disk_directory
from policies.admission.guard import FEATURE_GATE
from shopsphere.estate.site_config import API_SERVER_PORT
from shopsphere.foundation.paths import lab_directory, tools_directory
from shopsphere.topology import Site, Topology

_ETCD = "http://127.0.0.1:2379"
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_GOGC, _GOMEMLIMIT = "400", "900MiB"
"""A quarter of the garbage collections of Go's 100, as long as there is memory for it: an API server's takes half a
second of processor time, and a change of role brings one at both sites."""
_UNHURRIED = ("sh", "-c", 'echo 50000000 > /proc/self/timerslack_ns && exec "$@"', "unhurried")
"""Lets the kernel wake a program up to 50 ms late, and so less often: its own timers would wake it a hundred times a
second though nothing happens. Input from other programs still wakes it at once."""

# A site of one node: nobody moves pods away from it, and nothing waits for these checks.
_ONE_NODE = ("--node-monitor-period=30s", "--node-monitor-grace-period=5m")
_WATCHED_NODES = ("--node-monitor-period=1s", "--node-monitor-grace-period=8s")
"""A database's operator lets another instance lead when the pod of the first is no longer ready: that is told here."""
_MOVED_SOON = ("--default-not-ready-toleration-seconds=10", "--default-unreachable-toleration-seconds=10")
"""Pods of a lost node start on another one after so many seconds instead of after five minutes."""

_NOTHING_TO_DO = (
    "device-taint-eviction-controller",
    "persistentvolume-attach-detach-controller",
    "persistentvolume-expander-controller",
    "resourceclaim-controller",
    "service-lb-controller",
    "storage-version-migrator-controller",
    "storageversion-garbage-collector-controller",
    "ttl-controller",
)
"""Controllers with nothing to do in any site: volumes are local, and the lab's cloud gives addresses."""


def legacy_iptables() -> Path:
    """A folder in which `iptables` is iptables-legacy: kube-router and the CNI plugins need one and the same kind."""
    folder = lab_directory() / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"):
        link = folder / name
        target = Path("/usr/sbin") / name.replace("tables", "tables-legacy", 1)
        if not link.is_symlink():
            link.symlink_to(target)
    return folder


def kubernetes_components(site: Site, topology: Topology, credentials: Credentials) -> list[Component]:
    """Return everything that makes the site's host a Kubernetes cluster, and its first node."""
    kubeconfig = credentials.kubeconfig
    commands = {
        "etcd": (10, _etcd(site)),
        "kube-apiserver": (20, _api_server(site, credentials)),
        "kube-controller-manager": (
            30,
            (
                f"--kubeconfig={kubeconfig('controller-manager')}",
                f"--service-account-private-key-file={credentials.service_account_key}",
                f"--root-ca-file={credentials.authority.certificate}",
                f"--cluster-cidr={site.pod_network}",
                "--allocate-node-cidrs=true",
                "--use-service-account-credentials=true",
                "--leader-elect=false",
                f"--controllers={','.join(('*', *(f'-{name}' for name in _NOTHING_TO_DO)))}",
                *(_WATCHED_NODES if site.further_nodes else _ONE_NODE),
                "--pvclaimbinder-sync-period=5m",  # a changed volume or claim is bound at once all the same
                "--horizontal-pod-autoscaler-sync-period=60s",
                "--profiling=false",
            ),
        ),
        "kube-scheduler": (
            30,
            (f"--kubeconfig={kubeconfig('scheduler')}", "--leader-elect=false", "--profiling=false"),
        ),
    }
    programs = [_program(name, *command) for name, command in commands.items()]
    return [*programs, *node_components(nodes_of(site)[0], topology, credentials)]


def node_components(node: LabNode, topology: Topology, credentials: Credentials) -> list[Component]:
    """Return what every node of a site runs: the container runtime, and Kubernetes' programs for its pods."""
    site, kubeconfig = node.site, credentials.kubeconfig
    commands = {
        "kubelet": (50, _kubelet(node, topology, credentials)),
        "kube-proxy": (
            60,
            (
                f"--kubeconfig={kubeconfig('proxy')}",
                f"--cluster-cidr={site.pod_network}",
                f"--hostname-override={node.name}",
                "--proxy-mode=nftables",
                # the limits are the machine's, not the host's to set
                "--conntrack-max-per-core=0",
                "--conntrack-min=0",
                "--conntrack-tcp-timeout-established=0",
                "--conntrack-tcp-timeout-close-wait=0",
            ),
        ),
        "kube-router": (
            60,
            (
                f"--kubeconfig={kubeconfig('router')}",
                f"--hostname-override={node.name}",
                f"--service-cluster-ip-range={site.service_network}",
                "--run-router=false",
                "--run-firewall=true",
                "--run-service-proxy=false",
                "--health-port=0",
                "--metrics-port=0",
            ),
        ),
    }
    programs = [_program(name, *command) for name, command in commands.items()]
    containerd = ("/usr/bin/containerd", "--config", str(configuration.write_containerd(node)))
    programs.append(Component("containerd", containerd, _environment(), priority=15))
    return [*programs, pod_routes(node, _path())] if node.has_others else programs


def _program(name: str, priority: int, arguments: tuple[str, ...]) -> Component:
    command = (*_UNHURRIED, str(tools_directory() / name), *arguments)
    return Component(name, command, _environment(), priority=priority)


def _environment() -> dict[str, str]:
    return {"PATH": _path(), "GOGC": _GOGC, "GOMEMLIMIT": _GOMEMLIMIT}


def _path() -> str:
    return f"{legacy_iptables()}:{tools_directory()}:{_SYSTEM_PATH}"


def _etcd(site: Site) -> tuple[str, ...]:
    return (
        f"--data-dir={disk_directory(site.name) / 'etcd'}",
        "--unsafe-no-fsync",  # a lab's power loss ends processes, not the machine's page cache
        f"--listen-client-urls={_ETCD}",
        f"--advertise-client-urls={_ETCD}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--auto-compaction-retention=10m",
        # A single member sends heartbeats to nobody: a short interval would only wake it more often.
        "--heartbeat-interval=500",
        "--election-timeout=5000",
    )


def _api_server(site: Site, credentials: Credentials) -> tuple[str, ...]:
    kubelet = credentials.directory / "kubelet-client"
    return (
        *guarding.arguments(site),
        f"--etcd-servers={_ETCD}",
        f"--bind-address={site.address}",
        f"--advertise-address={site.address}",
        f"--secure-port={API_SERVER_PORT}",
        f"--service-cluster-ip-range={site.service_network}",
        f"--tls-cert-file={credentials.api_server.certificate}",
        f"--tls-private-key-file={credentials.api_server.key}",
        f"--client-ca-file={credentials.authority.certificate}",
        "--authorization-mode=Node,RBAC",
        f"--service-account-key-file={credentials.service_account_key}",
        f"--service-account-signing-key-file={credentials.service_account_key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--allow-privileged=true",
        "--enable-admission-plugins=NodeRestriction",
        f"--feature-gates={FEATURE_GATE}=true",
        f"--admission-control-config-file={configuration.write_admission(site)}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-client-certificate={kubelet}.crt",
        f"--kubelet-client-key={kubelet}.key",
        "--watch-cache=true",
        "--default-watch-cache-size=20",
        "--etcd-count-metric-poll-period=0",
        "--etcd-db-metric-poll-interval=0",
        "--enable-priority-and-fairness=false",
        *(_MOVED_SOON if site.further_nodes else ()),
        "--event-ttl=20m",
        "--profiling=false",
    )


def _kubelet(node: LabNode, topology: Topology, credentials: Credentials) -> tuple[str, ...]:
    labels = ",".join(f"{key}={value}" for key, value in configuration.node_labels(node, topology).items())
    return (
        f"--config={configuration.write_kubelet(node, credentials)}",
        f"--kubeconfig={credentials.kubeconfig('kubelet')}",
        f"--root-dir={disk_directory(node.name) / 'kubelet'}",
        f"--hostname-override={node.name}",
        f"--node-ip={node.address}",
        f"--node-labels={labels}",
    )
