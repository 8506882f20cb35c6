"""The ways to a stack's cluster, agent, names and witness, as its file says: the one reader of these keys.

Deployments validate a whole configuration (`components.stack_config`). What looks at a running estate needs less, and
has to work while something else in the file is wrong: it reads the keys below and leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from shopsphere.estate import stack_files
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.edge_config import DnsAuthorityConfig, EdgeConfig, Nameserver
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.estate.site_config import API_SERVER_PORT, Kubeconfigs
from shopsphere.estate.site_config_parts import SecureAddress, WebAddress
from shopsphere.estate.stack import Environment, StackId, edge_stack
from shopsphere.foundation.errors import ShopSphereError

_NAMESPACES = (stack_files.NAMESPACE, stack_files.STATUS_NAMESPACE)

Model = TypeVar("Model", bound="_Access")

Configured = Callable[[StackId], Mapping[str, Any]]
"""Which configuration of a stack counts: the one that it was deployed with, or the one that `up` would write."""


def as_deployed(stack: StackId) -> Mapping[str, Any]:
    """Return what the stack's file says now; nothing where it was never set up."""
    return stack_files.configuration(stack)


class AccessError(ShopSphereError):
    """A stack's configuration does not say where something is, or not in a usable way."""


class _Access(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)

    declared_elsewhere: ClassVar[Mapping[str, str]] = {}
    """Keys that must not be overlooked: whoever wrote one expects that it counts."""


class StateAccess(_Access):
    """The way to what Pulumi knows of a stack."""

    state_backend: str = Field(default="", description="Where this stack's state is kept.")


class SiteAccess(_Access):
    """The ways to one site."""

    kubeconfig: str = Field(default="", description="Path of the kubeconfig; empty where there is no stack.")
    kubeconfigs: Kubeconfigs = Field(default=Kubeconfigs(), description="Paths of those of single roles.")
    context: str = Field(default="", description="Context within each; empty for the site's own name.")
    site_agent: IPv4Address | None = Field(default=None, description="Its agent's; else the site's address.")
    site_agent_port: int = Field(default=SITE_AGENT_PORT, ge=1, le=65535, description="Its port.")

    def kubeconfig_of(self, role: Role) -> tuple[str, str]:
        """Return the kubeconfig of a role, and the key in the stack's file that names it; that of `up` by default."""
        of_roles = {
            Role.WATCH: self.kubeconfigs.watch,
            Role.DRIFT: self.kubeconfigs.drift,
            Role.OPERATE: self.kubeconfigs.operate,
        }
        own = of_roles.get(role)
        return (own, role.key) if own and self.kubeconfig else (self.kubeconfig, Role.UP.key)


class HostPortsAccess(_Access):
    """What a site's stack says of ports of its hosts."""

    api_server: IPv4Address | None = Field(default=None, description="Of the API server, as pods reach it.")
    api_server_port: int = Field(default=API_SERVER_PORT, ge=1, le=65535, description="Its port.")
    site_agent: IPv4Address | None = Field(default=None, description="Of the site's agent, as gateways reach it.")
    site_agent_port: int = Field(default=SITE_AGENT_PORT, ge=1, le=65535, description="Its port.")


class WitnessAccess(_Access):
    """The ways to the witnesses, apart from all others: nothing that is wrong at the edge keeps a pair from moving."""

    witness: dict[str, tuple[WebAddress, ...]] = Field(
        default_factory=dict, description="Client addresses of each pair's voters, the nearest first."
    )
    witness_keys: str = Field(
        default="", description="Folder with a folder per pair: ca.crt, and .crt, .key and .password of the users."
    )
    witness_signed: bool = Field(
        default=False, description="Whether a pair's record that nobody signed is refused (docs/witness.md)."
    )


class ArchiveKeysAccess(_Access):
    """What an operator needs for archives of backups."""

    archive_keys: str = Field(
        default="", description="Folder with a folder archive-<jurisdiction> each: operator.secret, and ca.crt if any."
    )


def in_clear(urls: Iterable[str]) -> list[str]:
    """Return the addresses at which one would be asked without TLS."""
    return [url for url in urls if not url.startswith("https://")]


class CdnAccess(_Access):
    """The way to the CDN."""

    cdn_url: SecureAddress | None = Field(default=None, description="The CDN's configuration API.")
    edge_keys: str = Field(default="", description="Folder with the certificates of those who ask it.")


class EdgeAccess(_Access):
    """The ways to public names. Everything is empty where the edge was never set up here."""

    declared_elsewhere: ClassVar[Mapping[str, str]] = EdgeConfig.declared_elsewhere

    dns_authorities: tuple[DnsAuthorityConfig, ...] = Field(default=(), description="All authoritative servers.")
    edge_keys: str = Field(default="", description="Folder with the certificates of those who ask them.")
    nameservers: tuple[Nameserver, ...] = Field(default=(), description="The zone's own name servers.")
    resolvers: tuple[IPv4Address, ...] = Field(default=(), description="Asked by `status` beside the authorities.")
    certificate_authority: Path | None = Field(
        default=None, description="Authority to trust for public names, beside the system's."
    )

    def require_authorities(self) -> tuple[DnsAuthorityConfig, ...]:
        """Return the DNS authorities.

        Raises:
            AccessError: none is known here, or the folder with our certificates is not.
        """
        if not self.dns_authorities or not self.edge_keys:
            raise AccessError.build(
                "where the DNS authorities are is not known here",
                expected=f"{stack_files.NAMESPACE}:dnsAuthorities and edgeKeys in the edge's stack file",
                found="nothing",
                action="`shopsphere up edge` writes them for the lab; for your own, fill in Pulumi.prod.yaml",
            )
        return self.dns_authorities


class ParentAccess(_Access):
    """The ways to the parent zone, apart from all others: nothing that is wrong there keeps a pair from moving."""

    parent_servers: tuple[IPv4Address, ...] = Field(
        default=(), description="Name servers of the parent zone, asked which keys of ours it vouches for (DS)."
    )


def site_access(stack: StackId, configured: Configured = as_deployed) -> SiteAccess:
    """Return the ways to a site.

    Raises:
        AccessError: a key holds something else than it should, or was never filled in.
    """
    return read_access(SiteAccess, stack, configured)


def edge_access(environment: Environment, configured: Configured = as_deployed) -> EdgeAccess:
    """Return the ways to the edge of an environment.

    Raises:
        AccessError: a key holds something else than it should, or was never filled in.
    """
    return read_access(EdgeAccess, edge_stack(environment), configured)


def witness_access(environment: Environment, configured: Configured = as_deployed) -> WitnessAccess:
    """Return the ways to the witnesses; what was not filled in, of the voters of a pair or of the keys, is not there.

    Raises:
        AccessError: an address cannot be used.
    """
    stack = edge_stack(environment)
    values = configured(stack)
    key = f"{stack_files.STATUS_NAMESPACE}:witness"
    voters = values.get(key)
    if isinstance(voters, dict):
        filled = {pair: urls for pair, urls in voters.items() if not stack_files.placeholders(urls)}
        values = {**values, key: filled}
    keys = f"{stack_files.STATUS_NAMESPACE}:witnessKeys"
    if stack_files.placeholders(values.get(keys)):
        values = {name: value for name, value in values.items() if name != keys}
    return parse_access(WitnessAccess, values, stack_files.project_file(stack).name)


def archive_access(environment: Environment, configured: Configured = as_deployed) -> ArchiveKeysAccess:
    """Return where the keys of archives are.

    Raises:
        AccessError: it was never filled in.
    """
    return read_access(ArchiveKeysAccess, edge_stack(environment), configured)


def read_access(model: type[Model], stack: StackId, configured: Configured = as_deployed) -> Model:
    """Read the keys that a model names from a stack's file; other keys are nobody's business here."""
    return parse_access(model, configured(stack), stack_files.project_file(stack).name)


def parse_access(model: type[Model], configuration: Mapping[str, Any], file: str) -> Model:
    """Validate the keys that a model names.

    Args:
        model: what is asked for.
        configuration: of a stack, with its namespaces.
        file: how messages call the place that it came from.

    Raises:
        AccessError: with every key that cannot be used.
    """
    wanted = {field.alias for field in model.model_fields.values()}
    spaced = {key: key.partition(":") for key in configuration}
    values = {
        name: configuration[key]
        for key, (namespace, _, name) in spaced.items()
        if namespace in _NAMESPACES and name in wanted
    }
    elsewhere = [key for key, (_, _, name) in spaced.items() if name in model.declared_elsewhere]
    if elsewhere:
        raise AccessError.build(
            f"{file}: has a key that does not count",
            expected="; ".join(model.declared_elsewhere[spaced[key][2]] for key in elsewhere),
            found=", ".join(elsewhere),
            action="write the values there, and remove the key here",
        )
    unfilled = sorted(place for name, value in values.items() for place in stack_files.placeholders(value, name))
    if unfilled:
        raise AccessError.build(
            f"{file}: not filled in",
            expected=f"your own value in place of each {stack_files.PLACEHOLDER}",
            found=", ".join(unfilled),
            action=f"edit {file}; README.md, “Your own clusters”, says what each value is",
        )
    try:
        return model.model_validate(values)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        found = [f"{each['input']!r}"[:80] for each in error.errors()]
        raise AccessError.build(
            f"{file}: cannot be used to reach anything",
            expected="; ".join(wrong),
            found="; ".join(found),
            action=f"correct these keys in {file}",
        ) from error


def parent_servers(environment: Environment, configured: Configured = as_deployed) -> tuple[IPv4Address, ...]:
    """Return the addresses of the parent zone's name servers; nothing where they are not named.

    Raises:
        AccessError: what is named is no address, or was never filled in.
    """
    return read_access(ParentAccess, edge_stack(environment), configured).parent_servers
