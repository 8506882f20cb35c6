"""What the agent of a host is told, and the margins between its clock and the witness's."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shopsphere.estate.host_rules import guard
from shopsphere.estate.nftables import Table
from shopsphere.estate.site_agent import SITE_AGENT_PORT


class Margins(BaseModel):
    """Lengths of time (s), such that nobody is promoted before the other site has stopped writing.

    The agent counts from the moment it *sent* a renewal that succeeded, the witness from the moment it received it, so
    the agent's time runs out first, whatever the way between them takes. Both measure lengths of time by monotonic
    clocks; no time of day is compared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lease: int = Field(default=9, ge=4, description="etcd's lease; below 4 its election time-out rules.")
    renew_every: float = Field(default=1.5, gt=0, description="Pause between two renewals.")
    fence_after: float = Field(default=7.0, gt=0, description="Without a good renewal for so long: shut off.")
    fence_within: float = Field(default=1.5, gt=0, description="Bound on the shutting off.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.fence_after + self.fence_within >= self.lease:
            raise ValueError("fence_after + fence_within should be less than lease: shut off before anyone is promoted")
        if self.renew_every * 3 > self.fence_after:
            raise ValueError("renew_every should fit into fence_after three times: one lost packet is no outage")
        return self


class PodNetworks(BaseModel):
    """Networks of a cluster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pods: IPv4Network
    services: IPv4Network


class HostConfig(BaseModel):
    """What every agent needs; one of a site without a pair needs nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    site: str
    listen: IPv4Address = Field(description="Where gateways ask whether writes are open.")
    port: int = Field(default=SITE_AGENT_PORT, ge=1, le=65535)
    askers: tuple[IPv4Network, ...] = Field(
        default=(), description="Networks of the site's API servers on other hosts: they may ask for the host's rules."
    )
    state_askers: tuple[IPv4Network, ...] = Field(
        default=(), description="Networks of operators and of the pair's other site: they may ask for the state."
    )
    run: Path = Field(
        default=Path("/run/shopsphere-agent"),
        description="The agent's own folder in the host's memory, where its door finds what it says.",
    )
    pod_guard: PodNetworks | None = Field(
        default=None, description="Networks of the guard that the host loads; none where no guard is needed."
    )

    firewall: Path | None = Field(
        default=None, description="File with the host's firewall, as the host loads it; none where it has none of ours."
    )

    @property
    def guard(self) -> Table | None:
        """The guard of the host's pods."""
        return guard(self.pod_guard.pods, self.pod_guard.services) if self.pod_guard else None


class AgentConfig(HostConfig):
    """Everything the agent of a pair's site needs; it reads no Pulumi state and asks no site but its own."""

    pair: str
    node: str = Field(
        default="",
        pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$|^$",
        description="Of a further node of a site of several nodes: its name in Kubernetes. Empty for the one agent "
        "that holds the site's lease, keeps synchrony and tells gateways whether writes are open.",
    )
    peer: str = Field(description="The other site of the pair.")
    first_active: str = Field(description="Site that is active when the pair is new: the topology's primary.")
    witness: tuple[str, ...] = Field(min_length=1, description="Client addresses of the voters.")
    witness_keys: Path = Field(description="Folder with ca.crt, and with .crt, .key and .password of agent-<site>.")
    witness_signed: bool = Field(
        default=False,
        description="Whether a record that nobody signed is refused from the start, not after the first.",
    )
    kubeconfig: Path = Field(description="Reads the database clusters of this site.")
    context: str
    permit: Path = Field(description="File of the agent's own, where a permit is kept over a reboot.")
    database_port: int = Field(default=5432, ge=1, le=65535, description="Port of the database pods.")
    margins: Margins = Margins()
    try_packets: bool = Field(
        default=False,
        description="While the fence is closed, packets have to prove it: needs /dev/net/tun on the host.",
    )
