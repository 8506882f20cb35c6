"""What a stack's configuration says: a frozen model of plain values that refuses unknown keys.

It says what differs between stacks. What a workload or a database is, wherever it runs, stands in its declaration.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, ClassVar

from pydantic import Field

from shopsphere.estate.event_log_config import KafkaConfig
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.estate.site_config_parts import Frozen, Quantity, Text, WebAddress

API_SERVER_PORT = 6443
"""Where a site's API server listens unless its configuration says otherwise."""


WRITTEN_ONCE = "of the environment's topology: topology.yaml, or topology.<environment>.yaml where it differs"
"""Where addresses stand; messages about keys that do not exist say it."""


class Volume(Frozen):
    """A directory on the nodes of the site that becomes one PersistentVolume."""

    name: Text = Field(description="Short name, unique within the site.")
    path: Annotated[str, Field(pattern="^/")] = Field(description="Directory on the node.")
    capacity: Quantity = Field(description="Size that claims see.")
    node: Text | None = Field(
        default=None, description="The only node that has it; each node of a site of several, if not given."
    )
    data_class: Text = Field(description="Class of the data it may hold: only claims of this class bind to it.")


class Autoscaling(Frozen):
    """Bounds within which a HorizontalPodAutoscaler chooses the number of replicas."""

    minimum: int = Field(ge=1, description="Fewest replicas.")
    maximum: int = Field(ge=1, description="Most replicas.")
    cpu_percent: int = Field(ge=10, le=100, description="CPU use, in percent of the request, that it aims for.")


class WorkloadConfig(Frozen):
    """Size of a workload at one site."""

    declared_elsewhere: ClassVar[Mapping[str, str]] = {
        "dataClass": "no such key: the class follows from the workload's entry in shopsphere/estate/workloads.py"
    }

    replicas: int = Field(ge=1, description="Pods; ignored where autoscaling is set.")
    cpu: Quantity = Field(description="CPU request of a pod.")
    memory: Quantity = Field(description="Memory request and limit of a pod.")
    autoscaling: Autoscaling | None = Field(default=None, description="Leave the number of replicas to the cluster.")


class DatabaseConfig(Frozen):
    """Size of a database at one site."""

    declared_elsewhere: ClassVar[Mapping[str, str]] = {
        "dataClass": "no such key: the class follows from the database's entry in shopsphere/estate/databases.py",
        "storageSite": "no such key: a database is always stored at its own site",
        "synchronous": "no such key: whether a commit waits for the other site (RPO 0) is a property of the database, "
        "declared in shopsphere/estate/databases.py, and no stack may differ from it",
    }

    size: Quantity = Field(description="Size of an instance's volume.")
    cpu: Quantity = Field(description="CPU request of an instance.")
    memory: Quantity = Field(description="Memory request and limit of an instance; a quarter is shared buffers.")
    instances: int | None = Field(
        default=None,
        ge=1,
        description="Instances at this site, each on a node of its own: one, or two at a site of several nodes, if not "
        "given.",
    )
    wal_keep_size: Annotated[str, Field(pattern="^[0-9]+(MB|GB)$")] = Field(
        description="WAL kept for a peer that is away: its rate times the longest outage without a new copy."
    )
    skip_wal_archiving: bool = Field(
        description="Only where no WAL archive is the backup: spares the restart that a change of role else needs, and"
        " the looks into it. Decided when a database is created."
    )


class ImageBuild(Frozen):
    """Builds the shop's image with a Docker engine instead of taking one that exists."""

    context: Text = Field(description="Directory with the build context.")
    dockerfile: Text = Field(description="Dockerfile.")
    registry: Text = Field(description="Registry of the site's own jurisdiction.")
    username: Text = Field(description="User at the registry; the password is the secret registryPassword.")


class Kubeconfigs(Frozen):
    """As whom programs that deploy nothing ask the site's API server; each as who deploys, where it has none."""

    watch: Text | None = Field(default=None, description="Of status, watch, reconcile and metrics, which only look.")
    drift: Text | None = Field(default=None, description="Of drift, which compares.")
    operate: Text | None = Field(default=None, description="Of ready and of all runbooks.")


class SiteConfig(Frozen):
    """What every site's stack configures."""

    kubeconfig: Text = Field(description="Path of the kubeconfig that reaches the site's cluster: as whom up deploys.")
    kubeconfigs: Kubeconfigs = Field(
        default=Kubeconfigs(), description="Paths of those of other programs; this one, where one is not given."
    )
    context: Text = Field(description="Context within each of them.")
    state_backend: Text | None = Field(
        default=None, description="Where this stack's state is kept: storage in its own jurisdiction, outside the site."
    )
    volumes: tuple[Volume, ...] = Field(min_length=1, description="Volumes of the site.")


class HeadquartersConfig(SiteConfig):
    """What the headquarters' stack configures."""


class RegionalConfig(SiteConfig):
    """What the stack of a pair's site configures."""

    declared_elsewhere: ClassVar[Mapping[str, str]] = {
        "address": f"no such key: the site's address is sites.<site>.address {WRITTEN_ONCE}",
        "peerAddress": f"no such key: the other site's address is its sites.<site>.address {WRITTEN_ONCE}",
    }

    api_server: IPv4Address | None = Field(
        default=None, description="Address of the Kubernetes API server as pods reach it; the site's if not given."
    )
    api_server_port: int = Field(default=API_SERVER_PORT, ge=1, le=65535, description="Its port.")
    images: dict[str, Text] = Field(description="Image references, each with a tag or a digest, by the image's name.")
    image_build: ImageBuild | None = Field(default=None, description="Build the shop's image as part of the stack.")
    workloads: dict[str, WorkloadConfig] = Field(description="Size of each workload of the site, by its name.")
    databases: dict[str, DatabaseConfig] = Field(description="Size of each database of the site, by its name.")
    kafka: KafkaConfig | None = Field(
        default=None, description="The site's event log, and with it the collector of clicks; none if not given."
    )
    psp_url: WebAddress = Field(description="Payment service provider's API.")
    payment_methods: dict[Annotated[str, Field(pattern="^tok_[a-z0-9_]{1,60}$")], Text] = Field(
        default_factory=dict,
        description="How customers may pay: titles by the provider's tokens. The lab has test methods if not given.",
    )
    psp_networks: tuple[IPv4Network, ...] = Field(min_length=1, description="CIDRs that this API answers from.")
    public_url: WebAddress | None = Field(
        default=None, description="Address of the shop for customers; https://www.<domain> if not given."
    )
    static_url: WebAddress | None = Field(
        default=None, description="Address of static assets, the CDN; https://static.<domain> if not given."
    )
    archive_recipient: str = Field(
        default="",
        description="Public key of age (age1…) of those who may restore; needed where the jurisdiction has an archive.",
    )
    archive_authority: str = Field(
        default="", description="Authority to trust for the archive (PEM); the image's own authorities if not given."
    )
    cdn_authority: str = Field(
        default="",
        description="Who vouches for the CDN (PEM): the edge's ca.crt. Who shows no certificate of it and the CDN's "
        "name fetches nothing at the gateway's entry for the CDN.",
    )
    static_over_http: bool = Field(
        default=False,
        description="Let anybody fetch static assets at port 80, unproven on the way: for the time of a change to a "
        "CDN with a certificate.",
    )
    site_agent: IPv4Address | None = Field(
        default=None,
        description="Where this site's agent says whether writes are open, as pods reach it; the site's if not given.",
    )
    site_agent_port: int = Field(default=SITE_AGENT_PORT, ge=1, le=65535, description="Its port.")
    requests_per_second_per_source: int = Field(
        default=200,
        ge=1,
        description="Rate above which the gateway answers a source (an IPv4 address, an IPv6 /64) with 429.",
    )
    sign_ins_per_minute_per_source: int = Field(
        default=10, ge=1, description="The same for forms of the account: sign-in, sign-up and what else is there."
    )
    checkouts_per_minute_per_source: int = Field(default=10, ge=1, description="The same for orders.")
