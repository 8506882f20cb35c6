"""RegionalSite: everything that one site of a pair runs. It wires components and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import pulumi

from components.app_image import AppImage
from components.data_centre import DataCentre, DataCentreModel
from components.gateway import Gateway, GatewayModel
from components.network_policies import PAYMENTS_PORT, SHOP_PORT, NetworkPolicies
from components.pinned_storage import PinnedStorage, PinnedStorageModel
from components.postgres_member import PostgresMember, PostgresMemberArgs
from components.regional_pair import RegionalPair
from components.workload import AUTHORITY_FILE, SERVICE_PORT, Workload, WorkloadArgs, WorkloadModel
from shopsphere.estate.databases import COMMERCE, LEDGER, POSTGRESQL_PORT, DatabaseModel
from shopsphere.estate.namespaces import GATEWAY, PAYMENTS, REGIONAL_NAMESPACES, SHOP, NamespaceModel
from shopsphere.estate.site_config import DatabaseConfig, WorkloadConfig


class RegionalSiteArgs(TypedDict):
    """What is secret."""

    secrets: Mapping[str, pulumi.Input[str]]
    """By the names of SITE_SECRET_NAMES."""
    registry_password: pulumi.Input[str] | None
    """For the registry that the shop's image is pushed to, where the stack builds it."""


class RegionalSite(pulumi.ComponentResource):
    """Limits, storage, network policies, two databases, shop, payments and gateway."""

    clusters: pulumi.Output[list[str]]
    """Names of the database clusters."""

    def __init__(
        self, name: str, pair: RegionalPair, args: RegionalSiteArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("shopsphere:site:RegionalSite", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._pair = pair
        self._secrets = args["secrets"]
        placement, config = pair.placement, pair.config
        self._centre = DataCentre(name, DataCentreModel.of(pair.topology, placement, REGIONAL_NAMESPACES), self._child)
        PinnedStorage(name, PinnedStorageModel(placement, config.volumes), self._child)
        NetworkPolicies(name, pair.network(), self._centre.namespaces, self._child)
        members = [
            self._member(COMMERCE, config.databases.commerce),
            self._member(LEDGER, config.databases.ledger),
        ]
        image = self._shop_image(args["registry_password"])
        self._shop(image)
        self._payments(image)
        self._gateway()
        self.clusters = pulumi.Output.all(*[member.cluster for member in members])
        self.register_outputs({"clusters": self.clusters})

    def _member(self, database: DatabaseModel, config: DatabaseConfig) -> PostgresMember:
        secrets = self._secrets
        return PostgresMember(
            database.name,
            self._pair.member(database, config),
            PostgresMemberArgs(
                namespace=self._centre.namespace(database.namespace.name),
                image=self._pair.config.images.postgresql,
                priority_class=self._centre.priority_class("databases"),
                authority=secrets["pairCaCertificate"],
                server_certificate=secrets[f"{database.name}ServerCertificate"],
                server_key=secrets[f"{database.name}ServerKey"],
                replication_certificate=secrets["replicationCertificate"],
                replication_key=secrets["replicationKey"],
                password=secrets[f"{database.name}Password"],
            ),
            self._child,
        )

    def _shop_image(self, registry_password: pulumi.Input[str] | None) -> pulumi.Input[str]:
        build, image = self._pair.config.image_build, self._pair.config.images.shop
        if build is None or registry_password is None:
            return image
        return AppImage("shop", build, {"image": image, "password": registry_password}, self._child).reference

    def _shop(self, image: pulumi.Input[str]) -> None:
        config, secrets = self._pair.config, self._secrets
        self._workload(
            SHOP,
            config.workloads.shop,
            image,
            port=SHOP_PORT,
            command="serve",
            database=COMMERCE,
            environment={
                "SHOP_PUBLIC_URL": config.public_url,
                "SHOP_STATIC_URL": config.static_url,
                "PAYMENTS_URL": f"http://{PAYMENTS.name}.{PAYMENTS.name}.svc.cluster.local:{SERVICE_PORT}",
            },
            secrets={"SHOP_SESSION_SECRET": secrets["sessionSecret"]},
        )

    def _payments(self, image: pulumi.Input[str]) -> None:
        config = self._pair.config
        self._workload(
            PAYMENTS,
            config.workloads.payments,
            image,
            port=PAYMENTS_PORT,
            command="payments",
            database=LEDGER,
            environment={"PSP_URL": config.psp_url},
            secrets={},
        )

    def _workload(
        self,
        namespace: NamespaceModel,
        sizes: WorkloadConfig,
        image: pulumi.Input[str],
        *,
        port: int,
        command: str,
        database: DatabaseModel,
        environment: Mapping[str, str],
        secrets: Mapping[str, pulumi.Input[str]],
    ) -> None:
        """Declare a workload that has a database; namespace and workload have the same name."""
        prefix = database.name.upper()
        address = f"{database.name}@{database.host}:{POSTGRESQL_PORT}/{database.name}"
        model = WorkloadModel(
            placement=self._pair.placement,
            name=namespace.name,
            owner=namespace.owner,
            config=sizes,
            watts=self._pair.watts(sizes),
            port=port,
            command=("shop", command),
            migration=("shop", "migrate", database.name),
            environment={
                "SHOP_SITE": self._pair.placement.site,
                "SHOP_REGION": self._pair.pair.name,
                f"{prefix}_DSN": f"postgresql://{address}?sslmode=verify-full&sslrootcert={AUTHORITY_FILE}",
                **environment,
            },
        )
        Workload(
            namespace.name,
            model,
            WorkloadArgs(
                namespace=self._centre.namespace(namespace.name),
                image=image,
                priority_class=self._centre.priority_class("storefront"),
                authority=self._secrets["pairCaCertificate"],
                secrets={**secrets, f"{prefix}_PASSWORD": self._secrets[f"{database.name}Password"]},
            ),
            self._child,
        )

    def _gateway(self) -> None:
        config, placement = self._pair.config, self._pair.placement
        model = GatewayModel(
            placement=placement,
            config=config.workloads.gateway,
            watts=self._pair.watts(config.workloads.gateway),
            shop_host=f"{SHOP.name}.{SHOP.name}.svc.cluster.local",
            shop_port=SERVICE_PORT,
            static_paths=self._pair.topology.cdn.paths,
            requests_per_second=config.requests_per_second_per_source,
            agent=self._pair.agent,
        )
        Gateway(
            "gateway",
            model,
            {
                "namespace": self._centre.namespace(GATEWAY.name),
                "image": config.images.gateway,
                "priority_class": self._centre.priority_class("storefront"),
                "tls_certificate": self._secrets["gatewayTlsCertificate"],
                "tls_key": self._secrets["gatewayTlsKey"],
            },
            self._child,
        )
