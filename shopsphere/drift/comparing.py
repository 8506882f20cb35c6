"""One declared object against the live one, as pure functions over plain documents.

A field that is declared counts whenever its value differs. What is live and not declared counts

- as an element of a list that is declared: no API server adds any;
- as any other field, when a manager set it that is neither the deployment nor a program whose work it is;
- where nobody is on record for it, when it is a field that no API server fills in. Without the deployment's own record
  there is nobody on record for anything, and all counts that is no default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shopsphere.drift import known, values
from shopsphere.drift.declared import Declared
from shopsphere.drift.model import Kind
from shopsphere.drift.ownership import APPLY, Author, Ownership
from shopsphere.drift.place import Path, begins_with, elements, fields_of, list_keys

_OURS = "pulumi-kubernetes"
"""How managers of Pulumi's provider begin, where the state does not say which one it was."""
_NOT_COMPARED = (
    ("status",),
    ("apiVersion",),
    ("kind",),
    *(
        ("metadata", name)
        for name in (
            "creationTimestamp",
            "deletionGracePeriodSeconds",
            "deletionTimestamp",
            "generation",
            "managedFields",
            "resourceVersion",
            "selfLink",
            "uid",
        )
    ),
)
"""What the API server and controllers write, and nobody declares."""
_NAME_LABEL = ("metadata", "labels", "kubernetes.io/metadata.name")


@dataclass(frozen=True)
class Difference:
    """A difference between a declared object and the live one.

    Attributes:
        path: where; empty for the object as a whole.
        kind: how they differ.
        declared: the declared value; None where there is none.
        live: the live value; None where there is none.
        author: who made it so, as far as that is on record.
        is_likely: the author wrote the object last, and nothing says that it was this field.
        around: the whole of what was added with this field, which only goes together; empty: the field alone.
    """

    path: Path
    kind: Kind
    declared: Any = None
    live: Any = None
    author: Author | None = None
    is_likely: bool = False
    around: Path = ()


def differences(declared: Declared, live: Mapping[str, Any]) -> list[Difference]:
    """Return all differences of an object."""
    return [*_Comparison(declared, live).all()]


class _Comparison:
    def __init__(self, declared: Declared, live: Mapping[str, Any]) -> None:
        self._declared, self._live = declared, live
        self._ownership = Ownership(live)
        # Name and namespace are nobody's: an object that declares nothing else leaves no record.
        self._has_record = any(map(self._is_ours, self._ownership.authors)) or not _holds_anything(declared)
        others = [author for author in self._ownership.authors if self._is_other(author)]
        self._last_other = others[0] if others else None
        self._left_out = (*_NOT_COMPARED, *declared.run_time, *((("metadata",),) if declared.is_owners else ()))

    def all(self) -> Iterator[Difference]:
        if "deletionTimestamp" in self._live["metadata"]:
            yield self._of((), Kind.MISSING, live=f"deleted at {self._live['metadata']['deletionTimestamp']}")
            return
        if not self._has_record and not self._declared.is_owners:
            yield self._of((), Kind.UNOWNED, live=[str(author) for author in self._ownership.authors])
        yield from self._mapping((), self._declared.body, self._live)

    def _is_ours(self, author: Author) -> bool:
        ours = self._declared.manager
        return author.operation == APPLY and (author.manager == ours if ours else author.manager.startswith(_OURS))

    def _is_other(self, author: Author) -> bool:
        return not self._is_ours(author) and author.manager not in known.MAKERS and author.subresource != "status"

    def _mapping(self, path: Path, declared: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[Difference]:
        for key, value in declared.items():
            place = (*path, key)
            if self._is_left_out(place):
                continue
            if live.get(key) is not None:
                yield from self._value(place, value, live[key])
            elif value not in (None, {}, []):
                yield self._of(place, Kind.REMOVED, value)
        for key, value in live.items():
            if declared.get(key) is None:
                yield from self._undeclared((*path, key), value)

    def _value(self, path: Path, declared: Any, live: Any) -> Iterator[Difference]:
        if isinstance(declared, Mapping) and isinstance(live, Mapping):
            yield from self._mapping(path, declared, live)
        elif isinstance(declared, list) and isinstance(live, list):
            yield from self._list(path, declared, live)
        elif not values.same(path, declared, live):
            yield self._of(path, Kind.CHANGED, declared, live)

    def _list(self, path: Path, declared: Sequence[Any], live: Sequence[Any]) -> Iterator[Difference]:
        if not any(isinstance(each, Mapping | list) for each in (*declared, *live)):
            if list(declared) != list(live) and not self._is_explained(path, live):
                yield self._of(path, _kind_of_change(declared, live), declared, live)
            return
        for wanted, found in self._pairs(path, declared, live):
            place = (*path, found or wanted)
            if found is None:
                yield self._of(place, Kind.REMOVED, wanted.value)
            elif wanted is not None:
                yield from self._value(place, wanted.value, found.value)
            elif not self._is_explained(place, found.value):
                yield self._of(place, Kind.ADDED, live=found.value)

    def _pairs(self, path: Path, declared: Sequence[Any], live: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Return declared and live elements that belong together; None where one has no partner."""
        keys = list_keys(declared, live)
        wanted, found = [*elements(declared, keys)], [*elements(live, keys)]
        if keys:
            partners = {each.keys: each for each in found}
            pairs: list[tuple[Any, Any]] = [(each, partners.pop(each.keys, None)) for each in wanted]
            return [*pairs, *((None, each) for each in partners.values())]
        pairs = []
        for each in [*wanted]:  # those that are as declared, wherever they are now
            equal = next(
                (other for other in found if not [*self._value((*path, other), each.value, other.value)]), None
            )
            if equal is not None:
                pairs.append((each, equal))
                wanted.remove(each)
                found.remove(equal)
        while wanted or found:  # the others in their order
            pairs.append((wanted.pop(0) if wanted else None, found.pop(0) if found else None))
        return pairs

    def _undeclared(self, path: Path, live: Any, around: Path = ()) -> Iterator[Difference]:
        """Yield what counts of a value that nobody declared: whole elements of lists, and single fields."""
        if self._is_left_out(path) or values.is_default(path, live) or self._is_own_name(path, live):
            return
        if isinstance(live, Mapping) and live:
            whole = around or (path if len(path) > 1 and self._is_of_others(path, live) else ())
            for key, value in live.items():
                yield from self._undeclared((*path, key), value, whole)
        elif isinstance(live, list) and any(isinstance(each, Mapping) for each in live):
            for element in elements(live, list_keys(live)):
                if [*self._undeclared((*path, element), element.value)]:
                    yield replace(self._of((*path, element), Kind.ADDED, live=element.value), around=around)
        elif self._counts(path):
            yield replace(self._of(path, Kind.ADDED, live=live), around=around)

    def _is_of_others(self, path: Path, live: Any) -> bool:
        """Whether neither the deployment nor a known program has a part in a mapping that nobody declared."""
        parts = {(part, author) for part in _parts(path, live) for author in self._ownership.of(part)}
        return not any(
            self._is_ours(author) or known.explains(self._declared.kind, part, author) for part, author in parts
        )

    def _counts(self, path: Path) -> bool:
        authors = [author for author in self._ownership.of(path) if not self._is_ours(author)]
        if authors:
            return not all(known.explains(self._declared.kind, path, author) for author in authors)
        if values.is_assigned(path):
            return False
        if values.is_sensitive(path) or not self._has_record:
            return True
        # A list of a custom resource is owned as a whole, and so are the defaults inside that its schema fills in.
        return bool(self._ownership.of(path)) and not self._declared.is_custom

    def _is_explained(self, path: Path, live: Any) -> bool:
        """Whether known programs, and nobody else, put something into a declared list."""
        parts = [(*path, key) for key in live] if isinstance(live, Mapping) else [path]
        authors = {author for part in parts for author in self._ownership.of(part)}
        explained = [known.explains(self._declared.kind, path, author) for author in authors]
        return bool(explained) and all(explained)

    def _is_own_name(self, path: Path, live: Any) -> bool:
        """Whether it is the label by which an API server names each namespace, whoever is on record as its owner.

        It writes it anew at each change, so it never differs for long. Of a namespace that `kubectl` made before the
        first deployment, the next manager of fields has `before-first-apply` own it.
        """
        is_name = self._declared.kind == "Namespace" and fields_of(path) == _NAME_LABEL
        return is_name and live == self._live["metadata"].get("name")

    def _is_left_out(self, path: Path) -> bool:
        return any(begins_with(path, fields) for fields in self._left_out)

    def _of(self, path: Path, kind: Kind, declared: Any = None, live: Any = None) -> Difference:
        owners = self._owners(path, live)
        author = next((each for each in owners if self._is_other(each)), None) or next(
            (each for each in owners if not self._is_ours(each)), None
        )
        if author is None:
            return Difference(path, kind, declared, live, self._last_other, is_likely=self._last_other is not None)
        return Difference(path, kind, declared, live, author)

    def _owners(self, path: Path, live: Any) -> list[Author]:
        """Return who owns a field; of a mapping or an element, who owns any part of it, the latest first."""
        if not path or live is None:
            return []
        found = set(self._ownership.of(path))
        for part in _parts(path, live):
            found.update(self._ownership.of(part))
        return sorted(found, key=lambda author: author.at, reverse=True)


def _holds_anything(declared: Declared) -> bool:
    rest = {key: value for key, value in declared.body.items() if key != "metadata"}
    labels = {key: value for key, value in declared.body["metadata"].items() if key not in {"name", "namespace"}}
    return any(value not in (None, {}, []) for value in (*rest.values(), *labels.values()))


def _parts(path: Path, live: Any) -> Iterator[Path]:
    """Yield the way to each part of a live value."""
    if isinstance(live, Mapping):
        for key, value in live.items():
            yield (*path, key)
            yield from _parts((*path, key), value)
    elif isinstance(live, list):
        for element in elements(live, list_keys(live)):
            yield (*path, element)
            yield from _parts((*path, element), element.value)


def _kind_of_change(declared: Sequence[Any], live: Sequence[Any]) -> Kind:
    """Return whether a list of plain values only grew, only shrank, or changed."""
    if all(each in live for each in declared) and len(live) > len(declared):
        return Kind.ADDED
    if all(each in declared for each in live) and len(live) < len(declared):
        return Kind.REMOVED
    return Kind.CHANGED
