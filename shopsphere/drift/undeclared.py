"""Objects that nobody declared in the namespaces of a stack, or that reach into them from outside.

What a controller made out of a declared object is no drift, as long as controllers alone have written it: the way from
an owner reference to its owner is followed to a declared object, because anybody may write such a reference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shopsphere.drift import known
from shopsphere.drift.ownership import Author, Ownership
from shopsphere.drift.rights import binds_holders
from shopsphere.estate.placement import SITE_LABEL

Document = Mapping[str, Any]
Key = tuple[str, str, str]
"""Kind, namespace and name."""
_PART_OF = ("app.kubernetes.io/part-of", "shopsphere")


@dataclass(frozen=True)
class Live:
    """A live object.

    Attributes:
        kind: its kind.
        document: as the API returned it.
    """

    kind: str
    document: Document

    @property
    def namespace(self) -> str:
        """Its namespace; empty for an object of the cluster."""
        return str(self.document["metadata"].get("namespace") or "")

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document["metadata"]["name"])

    @property
    def key(self) -> Key:
        """Kind, namespace and name."""
        return self.kind, self.namespace, self.name

    @property
    def uid(self) -> str:
        """What owner references call it."""
        return str(self.document["metadata"].get("uid", ""))

    @property
    def owners(self) -> list[str]:
        """Identities of its owners."""
        return [str(each.get("uid")) for each in self._references]

    @property
    def owner_kinds(self) -> list[str]:
        """Kinds of its owners."""
        return [str(each.get("kind")) for each in self._references]

    @property
    def _references(self) -> Sequence[Document]:
        return self.document["metadata"].get("ownerReferences") or ()


@dataclass(frozen=True)
class Touch:
    """What somebody changed in an object that controllers made.

    Attributes:
        author: who.
        fields: what they own of it.
    """

    author: Author
    fields: tuple[str, ...]


def is_undeclared(live: Live, namespaces: Collection[str]) -> bool:
    """Whether an object that comes from no declared one is something that somebody should have declared.

    Args:
        live: the object.
        namespaces: of the stack.
    """
    if live.namespace not in namespaces and not _reaches_into(live, namespaces):
        return False
    return not known.is_of_others(live.kind, live.document, Ownership(live.document).authors)


def is_meant(live: Live, namespaces: Collection[str]) -> bool:
    """Whether an object may be a finding of a site: of the cluster, of the stack's namespaces, or a right of ours."""
    return not live.namespace or live.namespace in namespaces or binds_holders(live.kind, live.document)


def touches(live: Live) -> Iterator[Touch]:
    """Yield what others than controllers changed in an object that a controller made; its status aside."""
    ownership = Ownership(live.document)
    for author in ownership.authors:
        if author.manager in known.MAKERS or author.subresource == "status":
            continue
        fields = tuple(field for field in ownership.fields_of(author) if not field.startswith("status"))
        if fields:
            yield Touch(author, fields)


def _reaches_into(live: Live, namespaces: Collection[str]) -> bool:
    """Whether an object of the cluster pretends to be the stack's, or gives somebody of its namespaces a right.

    Or whether it gives one of the platform's own groups a right, in any namespace.
    """
    document = live.document
    if binds_holders(live.kind, document):
        return True
    if live.namespace:
        return False
    labels = document["metadata"].get("labels") or {}
    if labels.get(_PART_OF[0]) == _PART_OF[1] or SITE_LABEL in labels:
        return True
    claim = (document.get("spec") or {}).get("claimRef") or {}
    subjects = document.get("subjects") or []
    return claim.get("namespace") in namespaces or any(each.get("namespace") in namespaces for each in subjects)
