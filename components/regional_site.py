"""RegionalSite: everything that one site of a pair runs. It wires components and decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import pulumi

from components.admission import Admission
from components.app_image import AppImage
from components.data_centre import DataCentre, DataCentreModel
from components.event_log import EventLog, event_log_of
from components.gateway import Gateway
from components.migration import Migration, MigrationArgs
from components.network_policies import NetworkPolicies
from components.pinned_storage import PinnedStorage, PinnedStorageModel
from components.postgres_member import PostgresMember, PostgresMemberArgs
from components.regional_pair import RegionalPair
from components.rights import Rights
from components.workload import Workload, WorkloadArgs
from shopsphere.estate.databases import DatabaseModel
from shopsphere.estate.event_log import AUTHORITY, EVENT_LOG, SERVER_SECRETS
from shopsphere.estate.event_log_site import KAFKA
from shopsphere.estate.site_declaration import DATABASE_IMAGE
from shopsphere.estate.workload_declaration import Process, WorkloadDeclaration
from shopsphere.estate.workloads import GATEWAY, SHOP


class RegionalSiteArgs(TypedDict):
    """What is secret."""

    secrets: Mapping[str, pulumi.Input[str]]
    """By their names in the stack's configuration."""
    registry_password: pulumi.Input[str] | None
    """For the registry that the shop's image is pushed to, where the stack builds it."""


class RegionalSite(pulumi.ComponentResource):
    """Admission policies, limits, storage, network policies, and the declared databases and workloads."""

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
        self._admission = admission = Admission.of(
            pair.topology,
            placement,
            pair.environment,
            self._child,
            images=config.images,
            event_log=config.kafka is not None,
        )
        self._centre = DataCentre(
            name,
            DataCentreModel.of(pair.topology, placement, pair.declaration.namespaces),
            self._child,
            after=[admission],
        )
        PinnedStorage(
            name, PinnedStorageModel(placement, config.volumes, pair.topology.site(placement.site).nodes), self._child
        )
        NetworkPolicies(name, pair.network(), self._centre.namespaces, self._child)
        declared = {**config.images, SHOP.image: self._shop_image(args["registry_password"])}
        # Of another registry, all would be refused while the API server asks the policies from before.
        images = {image: self._admission.in_force(reference) for image, reference in declared.items()}
        self._members = {
            database.name: self._member(database, images[DATABASE_IMAGE]) for database in pair.declaration.databases
        }
        self._images = images
        own_components = {GATEWAY.name: self._gateway, EVENT_LOG: self._event_log}  # for OWN_COMPONENTS
        for workload in pair.declaration.workloads:
            if not pair.reaches(workload):
                continue
            if workload.process:
                self._workload(workload, workload.process, images[workload.image])
            else:
                own_components[workload.name](images[workload.image])
        Rights(
            name,
            placement,
            pair.declaration.namespaces,
            self._centre.namespace,
            self._child,
            admission=admission.asked,
            of_pair=True,
        )
        self.clusters = pulumi.Output.all(*[member.cluster for member in self._members.values()])
        self.register_outputs({"clusters": self.clusters})

    def _member(self, database: DatabaseModel, image: pulumi.Input[str]) -> PostgresMember:
        secrets = self._secrets
        return PostgresMember(
            database.name,
            self._pair.member(database),
            PostgresMemberArgs(
                namespace=self._centre.namespace(database.namespace.name),
                admission=self._admission.asked,
                image=image,
                priority_class=self._centre.priority_class("databases"),
                authority=secrets["pairCaCertificate"],
                server_certificate=secrets[f"{database.name}ServerCertificate"],
                server_key=secrets[f"{database.name}ServerKey"],
                replication_certificate=secrets["replicationCertificate"],
                replication_key=secrets["replicationKey"],
                password=secrets[f"{database.name}Password"],
                login_passwords={each.name: secrets[database.login_password(each.name)] for each in database.logins},
            ),
            self._child,
        )

    def _shop_image(self, registry_password: pulumi.Input[str] | None) -> pulumi.Input[str]:
        build, image = self._pair.config.image_build, self._pair.config.images[SHOP.image]
        if build is None or registry_password is None:
            return image
        return AppImage(SHOP.image, build, {"image": image, "password": registry_password}, self._child).reference

    def _workload(self, declaration: WorkloadDeclaration, process: Process, image: pulumi.Input[str]) -> None:
        if process.migration:
            self._migration(declaration, process, image)
        secrets = declaration.secrets(process)
        Workload(
            declaration.name,
            self._pair.workload(declaration, process),
            WorkloadArgs(
                namespace=self._centre.namespace(declaration.name),
                image=image,
                priority_class=self._centre.priority_class(declaration.priority),
                authority=self._secrets["pairCaCertificate"],
                secrets={variable: self._secrets[name] for variable, name in secrets.items() if name in self._secrets},
                files={file: self._secrets[name] for file, name in process.files.items()},
            ),
            self._child,
        )

    def _migration(self, declaration: WorkloadDeclaration, process: Process, image: pulumi.Input[str]) -> None:
        database = declaration.databases[0]
        member = self._members[database.name]
        Migration(
            database.name,
            self._pair.migration(declaration, process, database),
            MigrationArgs(
                namespace=self._centre.namespace(database.namespace.name),
                image=image,
                priority_class=self._centre.priority_class(declaration.priority),
                authority_secret=member.authority_secret,
                owner_secret=member.owner_secret,
            ),
            self._child,
        )

    def _event_log(self, image: pulumi.Input[str]) -> None:
        secrets = self._secrets
        EventLog(
            EVENT_LOG,
            event_log_of(self._pair),
            {
                "namespace": self._centre.namespace(EVENT_LOG),
                "admission": self._admission.asked,
                "image": image,
                "keeper_image": self._images[SHOP.image],
                "priority_class": self._centre.priority_class(KAFKA.priority),
                "authority": secrets[AUTHORITY],
                "certificate": secrets[SERVER_SECRETS[0]],
                "key": secrets[SERVER_SECRETS[1]],
            },
            self._child,
        )

    def _gateway(self, image: pulumi.Input[str]) -> None:
        Gateway(
            GATEWAY.name,
            self._pair.gateway(),
            {
                "namespace": self._centre.namespace(GATEWAY.name),
                "image": image,
                "priority_class": self._centre.priority_class(GATEWAY.priority),
                "tls_certificate": self._secrets["gatewayTlsCertificate"],
                "tls_key": self._secrets["gatewayTlsKey"],
                "bounds": self._centre.bounds(GATEWAY.name),
            },
            self._child,
        )
