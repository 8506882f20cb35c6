"""What a site's cluster has of a pair's secrets, and whether that is at least what a stage of a rotation wants."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from shopsphere.clients.cluster import Document
from shopsphere.clients.document_place import place_of
from shopsphere.estate.databases import AUTHORITY_SECRET, DATABASES, REPLICATION_SECRET
from shopsphere.estate.event_log import AUTHORITY as BROKERS_AUTHORITY
from shopsphere.estate.event_log import EVENT_LOG
from shopsphere.estate.pair_secrets import AUTHORITY
from shopsphere.estate.renewal import SecretKind, Stage, is_same
from shopsphere.estate.site_declaration import REGIONAL_SITE, SiteDeclaration

Held = Mapping[str, Mapping[str, str]]
"""Contents of a site's secrets, by `namespace/name` and key."""


@dataclass(frozen=True)
class Place:
    """Where a secret of the configuration arrives.

    Attributes:
        name: in the stack's configuration.
        secret: `namespace/name` in the cluster.
        key: in that secret.
    """

    name: str
    secret: str
    key: str


def places(site: SiteDeclaration = REGIONAL_SITE, *, archived: bool) -> tuple[Place, ...]:
    """Return where the secrets of a pair arrive at a site.

    Args:
        site: what it is declared to have.
        archived: whether its jurisdiction has an archive.
    """
    return (*_of_workloads(site, archived=archived), *_of_databases())


def _of_workloads(site: SiteDeclaration, *, archived: bool) -> Iterator[Place]:
    for each in site.workloads:
        if each.name == EVENT_LOG:  # with it in one secret: the broker's certificate and key, in one file
            yield Place(BROKERS_AUTHORITY, f"{each.name}/{each.name}-tls", "ca.crt")
        if each.process is None or ("archive" in each.endpoints and not archived):
            continue
        for variable, name in each.secrets(each.process).items():
            yield Place(name, f"{each.name}/{each.name}-settings", variable)
        for file, name in each.process.files.items():
            yield Place(name, f"{each.name}/{each.name}-files", file)


def _of_databases() -> Iterator[Place]:
    for each in DATABASES:
        at = f"{each.namespace.name}/"
        yield Place(AUTHORITY, f"{at}{AUTHORITY_SECRET}", "ca.crt")
        yield Place(f"{each.name}ServerCertificate", f"{at}{each.server_secret}", "tls.crt")
        yield Place(f"{each.name}ServerKey", f"{at}{each.server_secret}", "tls.key")
        yield Place("replicationCertificate", f"{at}{REPLICATION_SECRET}", "tls.crt")
        yield Place("replicationKey", f"{at}{REPLICATION_SECRET}", "tls.key")
        yield Place(f"{each.name}Password", f"{at}{each.owner_secret}", "password")
        for login in each.logins:
            yield Place(each.login_password(login.name), f"{at}{each.login_secret(login.name)}", "password")


def held_in(secrets: Iterable[Document]) -> dict[str, dict[str, str]]:
    """Return the contents of secrets as the API lists them."""
    return {
        place_of(each): {key: base64.b64decode(value).decode() for key, value in each.get("data", {}).items()}
        for each in secrets
    }


def missing_at(
    held: Held,
    kind: SecretKind,
    stage: Stage,
    old: Mapping[str, str],
    new: Mapping[str, str],
    wanted: tuple[Place, ...],
) -> list[str]:
    """Return the places, of those that are `wanted`, at which a site has not come to a stage; none when it has."""
    known = kind.complete(old)
    later = [each for each in kind.stages if each >= stage]
    found = [_differing(held, kind.layout(each, known, new), wanted) for each in later]
    return [] if not all(found) else found[0]


def _differing(held: Held, layout: Mapping[str, str | None], wanted: tuple[Place, ...]) -> list[str]:
    return [
        f"{place.secret} {place.key}"
        for place in wanted
        if place.name in layout and not is_same(held.get(place.secret, {}).get(place.key), layout[place.name])
    ]
