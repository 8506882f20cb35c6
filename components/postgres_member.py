"""PostgresMember: one site's CloudNativePG cluster of a pair's database, able to take either role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import Secret, Service
from pulumi_kubernetes.rbac.v1 import RoleBinding

from components.manifest import name_of
from components.postgres_spec import PostgresMemberModel, cluster_spec
from shopsphere.estate.cluster_rights import AGENTS, BINDING, ENTERS
from shopsphere.estate.cluster_role import RBAC
from shopsphere.estate.databases import AUTHORITY_SECRET, POSTGRESQL_PORT, REPLICATION_SECRET
from shopsphere.estate.placement import SKIP_AWAIT

ROLE_FIELDS = [
    "spec.replica",
    "spec.bootstrap",  # a rebuilt site was copied from the other one, whichever was created first
    "spec.postgresql.synchronous",
    'metadata.annotations["cnpg.io/fencedInstances"]',
]
"""Which site takes writes is run-time state, owned by the pair's witness: a later `up` must not put it back."""

RELOAD = {"cnpg.io/reload": ""}
"""Makes the running instances take a changed secret."""


class PostgresMemberArgs(TypedDict):
    """What is known only at run time."""

    namespace: pulumi.Input[str]
    """Namespace of the cluster."""
    admission: pulumi.Input[list[pulumi.Resource]]
    """The policies of the site's API server, of which older ones refuse the right of the site's agent."""
    image: pulumi.Input[str]
    """PostgreSQL image."""
    priority_class: pulumi.Input[str]
    """Priority of the instances."""
    authority: pulumi.Input[str]
    """Certificate of the pair's authority (PEM)."""
    server_certificate: pulumi.Input[str]
    """Certificate of the database's server (PEM), the same at both sites."""
    server_key: pulumi.Input[str]
    """Its private key (PEM)."""
    replication_certificate: pulumi.Input[str]
    """Certificate of the replication user (PEM), the same at both sites."""
    replication_key: pulumi.Input[str]
    """Its private key (PEM)."""
    password: pulumi.Input[str]
    """Password of the database's owner, the same at both sites: a promotion sets it from here."""
    login_passwords: Mapping[str, pulumi.Input[str]]
    """Passwords of the logins of programs, by the logins' names; the same at both sites for the same reason."""


class PostgresMember(pulumi.ComponentResource):
    """The cluster, the secrets it shares with its peer, the service before it, and the right of the site's agent."""

    cluster: pulumi.Output[str]
    """Name of the cluster."""
    service: pulumi.Output[str]
    """Name of the service that leads to the instance that takes, or would take, writes."""
    authority_secret: pulumi.Output[str]
    """Name of the secret with the certificate of the pair's authority."""
    owner_secret: pulumi.Output[str]
    """Name of the secret with the owner's password."""

    def __init__(
        self,
        name: str,
        model: PostgresMemberModel,
        args: PostgresMemberArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("shopsphere:site:PostgresMember", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._model = model
        self._args = args
        secrets = {
            "authority": self._secret(AUTHORITY_SECRET, "Opaque", {"ca.crt": args["authority"]}),
            "server": self._tls_secret(model.server_secret, args["server_certificate"], args["server_key"]),
            "replication": self._tls_secret(
                REPLICATION_SECRET, args["replication_certificate"], args["replication_key"]
            ),
            "owner": self._secret(
                model.database.owner_secret,
                "kubernetes.io/basic-auth",
                {"username": model.database.name, "password": args["password"]},
            ),
            **{
                each.name: self._secret(
                    model.database.login_secret(each.name),
                    "kubernetes.io/basic-auth",
                    {"username": each.role, "password": args["login_passwords"][each.name]},
                )
                for each in model.database.logins
            },
        }
        annotations = {**SKIP_AWAIT}
        if model.config.skip_wal_archiving:
            annotations["cnpg.io/skipWalArchiving"] = "enabled"
        created = CustomResource(
            model.cluster,
            api_version="postgresql.cnpg.io/v1",
            kind="Cluster",
            metadata={
                "name": model.cluster,
                "namespace": args["namespace"],
                "labels": model.labels,
                "annotations": annotations,
            },
            spec=cluster_spec(model, args["image"], args["priority_class"], secrets),
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=ROLE_FIELDS),
        )
        self.cluster = created.id.apply(lambda _: model.cluster)
        self.service = self._stable_service()
        self._let_agent_in()
        self.authority_secret = secrets["authority"]
        self.owner_secret = secrets["owner"]
        self.register_outputs({"cluster": self.cluster, "service": self.service})

    def _secret(self, name: str, kind: str, contents: dict[str, pulumi.Input[str]]) -> pulumi.Output[str]:
        created = Secret(
            f"{self._model.database.namespace.name}-{name}",
            metadata={
                "name": name,
                "namespace": self._args["namespace"],
                "labels": {**self._model.labels, **RELOAD},
            },
            type=kind,
            string_data=contents,
            opts=self._child,
        )
        return name_of(created)

    def _tls_secret(self, name: str, certificate: pulumi.Input[str], key: pulumi.Input[str]) -> pulumi.Output[str]:
        return self._secret(name, "kubernetes.io/tls", {"tls.crt": certificate, "tls.key": key})

    def _stable_service(self) -> pulumi.Output[str]:
        # CloudNativePG labels the instance that follows the peer "primary" too: after a promotion this same service
        # leads to the writer, and no client has to learn a new name.
        created = Service(
            f"{self._model.database.namespace.name}-{self._model.database.name}",
            metadata={
                "name": self._model.database.name,
                "namespace": self._args["namespace"],
                "labels": self._model.labels,
                "annotations": SKIP_AWAIT,
            },
            spec={
                "selector": {"cnpg.io/cluster": self._model.cluster, "cnpg.io/instanceRole": "primary"},
                "ports": [{"name": "postgresql", "port": POSTGRESQL_PORT, "target_port": POSTGRESQL_PORT}],
            },
            opts=self._child,
        )
        return name_of(created)

    def _let_agent_in(self) -> None:
        """The site's agent asks inside the instances whether they lead; it is no administrator."""
        namespace = self._model.database.namespace.name
        RoleBinding(
            f"{namespace}-{BINDING}",
            metadata={
                "name": BINDING,
                "namespace": self._args["namespace"],
                "labels": self._model.labels,
            },
            role_ref={"api_group": RBAC, "kind": "ClusterRole", "name": ENTERS},
            subjects=[{"api_group": RBAC, "kind": "Group", "name": AGENTS}],
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._args["admission"]),
        )
