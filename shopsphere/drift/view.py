"""What a site declares and what is live there, so that any one object can be judged with what it comes from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from shopsphere.drift.declared import Declared
from shopsphere.drift.operators_work import CLUSTER, accounts_of
from shopsphere.drift.undeclared import Key, Live

NAMESPACE, CLAIM, STATEFUL_SET = "Namespace", "PersistentVolumeClaim", "StatefulSet"


class View:
    """One site; the live objects may change, what is declared does not.

    Args:
        declared: the cluster's objects that the site's stack declares.
        lives: the live objects of all kinds that are compared.
        unlisted: kinds that could not be listed: nothing is known of their objects, nor of what those made.
    """

    def __init__(
        self, declared: Iterable[Declared], lives: Iterable[Live] = (), *, unlisted: Collection[str] = ()
    ) -> None:
        self.declared: dict[Key, Declared] = {(each.kind, each.namespace, each.name): each for each in declared}
        self.namespaces = {name for kind, _, name in self.declared if kind == NAMESPACE}
        self.unlisted = set(unlisted)
        self._lives: dict[Key, Live] = {}
        self._by_uid: dict[str, Live] = {}
        for live in lives:
            self.put(live)

    @property
    def keys(self) -> list[Key]:
        """All objects, the declared ones first, and those that the operator has made of declared ones."""
        return [*dict.fromkeys((*self.declared, *self._lives, *self.accounts))]

    @property
    def accounts(self) -> dict[Key, Declared]:
        """The accounts and rights that there should be, with the declared cluster of each."""
        return accounts_of(self.declared.values(), self._lives)

    @property
    def number(self) -> int:
        """Number of live objects."""
        return len(self._lives)

    def live(self, key: Key) -> Live | None:
        """Return a live object, or None."""
        return self._lives.get(key)

    def of(self, kind: str, namespace: str = "") -> list[Live]:
        """Return the live objects of a kind: of one namespace, or all."""
        return [live for live in self._lives.values() if live.kind == kind and namespace in {"", live.namespace}]

    def put(self, live: Live) -> None:
        """Add an object, or replace it."""
        self.drop(live.key)
        self._lives[live.key] = live
        if live.uid:
            self._by_uid[live.uid] = live

    def drop(self, key: Key) -> None:
        """Forget an object; it may be forgotten already."""
        gone = self._lives.pop(key, None)
        if gone is not None and self._by_uid.get(gone.uid) is gone:
            del self._by_uid[gone.uid]

    def is_from_declared(self, live: Live) -> bool:
        """Whether an object is declared, or all of its owners are from declared ones, however far up.

        Anybody may write references, also such that lead in a circle: nothing in one is from a declared object.
        """
        owners_of: dict[str, list[Live]] = {}
        waiting = [live]
        while waiting:
            each = waiting.pop()
            if each.key in self.declared or each.uid in owners_of:
                continue
            named = self._owners(each)
            owners = [owner for uid in named if (owner := self._by_uid.get(uid))]
            if not owners or len(owners) < len(named):
                return False
            owners_of[each.uid] = owners
            waiting += owners
        made: set[str] = set()
        while new := {uid for uid, owners in owners_of.items() if uid not in made and self._are_known(owners, made)}:
            made |= new
        return made == owners_of.keys()

    def _are_known(self, owners: Iterable[Live], made: Collection[str]) -> bool:
        return all(owner.key in self.declared or owner.uid in made for owner in owners)

    def made_from(self, live: Live) -> Iterator[Live]:
        """Yield the objects that name one among their owners, and those that name these, and so on."""
        waiting, seen = [live.uid], {live.uid}
        while waiting:
            owner = waiting.pop()
            for each in self._lives.values():
                if each.uid not in seen and owner in self._owners(each):
                    seen.add(each.uid)
                    waiting.append(each.uid)
                    yield each

    def clusters_of(self, live: Live) -> set[str]:
        """Return the names of the databases' clusters that own an object, which share its namespace."""
        owners = (self._by_uid.get(uid) for uid in live.owners)
        return {owner.name for owner in owners if owner is not None and owner.kind == CLUSTER}

    def has_unlisted_owner(self, live: Live) -> bool:
        """Whether an owner of an object is of a kind that could not be listed: then nobody knows who declared it."""
        kinds = [STATEFUL_SET] if live.kind == CLAIM and not live.owner_kinds else live.owner_kinds
        return any(kind in self.unlisted for kind in kinds)

    def _owners(self, live: Live) -> list[str]:
        """Return the identities of an object's owners.

        A StatefulSet's claims outlive it, so nothing refers to it there: one is its own by the name.
        """
        if live.kind != CLAIM or live.owners:
            return live.owners
        return [each.uid for each in self.of(STATEFUL_SET, live.namespace) if live.name in _claims_of(each)]


def _claims_of(stateful_set: Live) -> Iterator[str]:
    """Yield the names of the claims that a StatefulSet makes."""
    spec = stateful_set.document["spec"]
    for template in spec.get("volumeClaimTemplates") or ():
        for ordinal in range(spec.get("replicas", 1)):
            yield f"{template['metadata']['name']}-{stateful_set.name}-{ordinal}"
