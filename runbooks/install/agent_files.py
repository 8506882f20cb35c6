"""Files of a site's agent and its door: configuration, the host's first rules, units."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from runbooks.agent.config import HostConfig
from runbooks.agent.written import AgentPlaces, Networks, agent_config, host_config
from runbooks.install.files import Brought, HostFiles, Places
from runbooks.install.firewall_files import FLUSHES, NFT, firewall_file
from runbooks.install.units import (
    HARDENED,
    KEPT_RUNNING,
    NO_DEVICES,
    ONCE,
    PYTHON,
    RULES_ALONE,
    UNITS,
    command_line,
    sections,
    unit,
)
from shopsphere.estate.cluster_rights import AGENTS, agent_subject
from shopsphere.estate.databases import POSTGRESQL_PORT
from shopsphere.estate.host_firewall import LetIn
from shopsphere.estate.host_openings import SitePorts
from shopsphere.estate.host_rules import first_rules, guard_of
from shopsphere.topology import FurtherNode, Site, Topology
from shopsphere.witness.keys import user_files
from shopsphere.witness.users import agent_user

RUN = "/run/shopsphere-agent"
_RUN_MOUNT = r"run-shopsphere\x2dagent.mount"  # systemd's name of RUN
RULES, AGENT, DOOR = "shopsphere-host-rules.service", "shopsphere-agent.service", "shopsphere-agent-door.service"
GUARD = "shopsphere-pod-guard.service"
KUBELET = "kubelet.service"
"""Where the kubelet is another unit, its owner adds `Requires=` and `After=` of the rules there."""


@dataclass(frozen=True)
class Surroundings:
    """What of a site no file of this repository says.

    Attributes:
        operators: networks of operators' machines: they may see names and reasons.
        api_servers: networks of the site's API servers on other hosts.
        guarded: whether the host loads the guard of the pods, as kube-router needs it.
        firewall: whether hosts get a firewall.
        let_in: what it lets in beside what topology says and operators need.
        named: ports of a site's hosts that its stack names.
        signed: whether agents refuse a pair's record without a signature from the start.
    """

    operators: Networks = ()
    api_servers: Networks = ()
    guarded: bool = False
    firewall: bool = False
    let_in: tuple[LetIn, ...] = ()
    named: SitePorts = field(default_factory=SitePorts)
    signed: bool = False


def agent_files(
    site: Site,
    topology: Topology,
    witness: Iterable[str],
    around: Surroundings,
    places: Places,
    node: FurtherNode | None = None,
) -> HostFiles:
    """Return the files of a site's agent, or of the one of a further node of it.

    Args:
        site: whose.
        topology: with its pair, if it has one.
        witness: client addresses of the voters of its pair.
        around: what the owner says.
        places: on the host.
        node: which further node of a pair's site; None for the host of the site's own agent.
    """
    pair = topology.pair_of(site.name)
    firewall = firewall_file(places) if around.firewall else None
    keys, kubeconfig = places.settings / "witness-agent", places.settings / "agent.kubeconfig"
    brought: tuple[Brought, ...] = ()
    told: HostConfig
    if pair:
        own = AgentPlaces(Path(keys), Path(kubeconfig), Path("/var/lib/shopsphere-agent/permit.json"))
        told = agent_config(
            site,
            pair,
            witness=tuple(witness),
            places=own,
            state_askers=around.operators,
            askers=around.api_servers,
            guarded=around.guarded,
            firewall=firewall,
            node=node.name if node else "",
            listen=node.address if node else None,
            port=around.named.agent,
            signed=around.signed,
        )
        files = user_files(Path(keys), agent_user(site.name))
        origin = f"`shopsphere witness keys {pair.name}` (docs/witness.md)"
        brought = (
            *(Brought(keys / each.name, "root:root", "0600", origin) for each in files),
            Brought(kubeconfig, "root:root", "0600", _api_key(site, node)),
        )
    else:
        told = host_config(
            site,
            state_askers=around.operators,
            askers=around.api_servers,
            guarded=around.guarded,
            firewall=firewall,
            port=around.named.agent,
        )
    config = str(places.settings / "agent.json")
    first = first_rules(POSTGRESQL_PORT, further=node is not None)
    rules = {str(places.settings / "fence.nft"): first} if pair else {}
    guard = str(places.settings / "pod-guard.nft")
    if around.guarded:
        rules[guard] = guard_of(site).text()
    module = "runbooks.agent" if pair else "runbooks.agent.unpaired"
    needed = (RULES,) if rules else ()
    written = {
        config: told.model_dump_json(indent=2) + "\n",
        **rules,
        "/etc/modules-load.d/shopsphere.conf": "br_netfilter\ntun\n",
        "/etc/sysctl.d/60-shopsphere.conf": "net.ipv4.ip_forward = 1\nnet.bridge.bridge-nf-call-iptables = 1\n",
        "/etc/tmpfiles.d/shopsphere-agent.conf": _folders(keys if pair else None, brought),
        **({f"{UNITS}/{RULES}": _rules_unit(rules)} if rules else {}),
        **({f"{UNITS}/{GUARD}": _guard_unit(guard)} if around.guarded else {}),
        f"{UNITS}/{_RUN_MOUNT}": _run_mount(),
        f"{UNITS}/{AGENT}": _agent_unit(places, module, config, needed),
        f"{UNITS}/{DOOR}": _door_unit(places, config),
    }
    then = ("systemctl restart systemd-modules-load systemd-sysctl",)
    units = (*needed, *((GUARD,) if around.guarded else ()), AGENT, DOOR)
    return HostFiles(node.name if node else site.name, written, brought, units, then)


def _api_key(site: Site, node: FurtherNode | None) -> str:
    subject = f"CN {agent_subject(node.name if node else site.name)}, O {AGENTS}"
    return f"{subject}; context {site.name} (docs/production.md, step 6)"


def _folders(keys: object, brought: Iterable[Brought]) -> str:
    lines = ["d /var/lib/shopsphere-agent 0700 root root -"]
    if keys:
        lines.append(f"d {keys} 0700 root root -")
    lines += [f"z {each.path} {each.mode} root root -" for each in brought]
    return "\n".join(lines) + "\n"


def _rules_unit(rules: Iterable[str]) -> str:
    """Before the network and the kubelet: no pod runs while a database could be reached."""
    return unit(
        "ShopSphere: the host's first rules; databases are shut off until the agent opens them",
        {
            "DefaultDependencies": "no",
            # Whoever flushes all rules at the start comes first.
            "After": "local-fs.target nftables.service firewalld.service",
            "Before": f"network-pre.target {KUBELET} {AGENT}",
            "Wants": "network-pre.target",
        },
        {
            **ONCE,
            "ExecStart": [f"{NFT} -f {each}" for each in rules],
            **RULES_ALONE,
        },
        {"WantedBy": "multi-user.target", "RequiredBy": f"{KUBELET} {AGENT}"},
    )


def _guard_unit(file: str) -> str:
    """Loads the guard of the pods again when Debian's nftables.service has flushed all tables.

    The fence is its agent's, which is told of each flush. Nothing requires this unit, so that such a restart ends
    neither agent nor kubelet.
    """
    return unit(
        "ShopSphere: the guard of the pods, also after a restart of nftables.service",
        {
            "DefaultDependencies": "no",
            "After": f"local-fs.target {FLUSHES} {RULES}",
            "PartOf": FLUSHES,
            "ReloadPropagatedFrom": FLUSHES,
        },
        {
            **ONCE,
            "ExecStart": f"{NFT} -f {file}",
            "ExecReload": f"{NFT} -f {file}",
            **RULES_ALONE,
        },
        {"WantedBy": f"multi-user.target {FLUSHES}"},
    )


def _run_mount() -> str:
    return sections(
        {
            "Unit": {"Description": "ShopSphere: what the agent says to its door; a full /run shuts no site off"},
            "Mount": {
                "What": "tmpfs",
                "Where": RUN,
                "Type": "tmpfs",
                "Options": "size=4m,mode=700,nosuid,nodev,noexec",
            },
        }
    )


def _agent_unit(places: Places, module: str, config: str, needed: Iterable[str]) -> str:
    return unit(
        "ShopSphere: the site's agent, which holds the lease to write and the fence",
        {
            "Requires": " ".join([_RUN_MOUNT, *needed]),
            "After": " ".join([_RUN_MOUNT, *needed]),
            "Before": KUBELET,
            "StartLimitIntervalSec": "0",
            "AssertPathExists": config,
        },
        {
            "ExecStart": command_line([str(places.python), "-m", module, config]),
            "WorkingDirectory": str(places.repository),
            **PYTHON,
            **KEPT_RUNNING,
            # nft and the interface of the packets' proof; a priority above that of the pods.
            "CapabilityBoundingSet": "CAP_NET_ADMIN CAP_SYS_NICE",
            "DevicePolicy": "closed",
            "DeviceAllow": "/dev/net/tun rw",
            "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
            "ReadWritePaths": f"{RUN} /var/lib/shopsphere-agent",
            "OOMScoreAdjust": "-900",
            **HARDENED,
        },
    )


def _door_unit(places: Places, config: str) -> str:
    """As root without any right of root's: what it reads is the agent's own."""
    return unit(
        "ShopSphere: answers gateways and operators for the site's agent",
        {
            "Requires": _RUN_MOUNT,
            "After": f"{_RUN_MOUNT} {AGENT} network-online.target",
            "Wants": "network-online.target",
            "StartLimitIntervalSec": "0",
            "AssertPathExists": config,
        },
        {
            "ExecStart": command_line([str(places.python), "-m", "runbooks.agent.door", config]),
            "WorkingDirectory": str(places.repository),
            **PYTHON,
            **KEPT_RUNNING,
            "CapabilityBoundingSet": "CAP_SYS_NICE",
            "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
            "ReadWritePaths": RUN,  # it tries the lock that a living agent holds
            "MemoryMax": "512M",
            "OOMScoreAdjust": "-500",
            **NO_DEVICES,
            **HARDENED,
        },
    )
