"""The secrets in the configuration of both stacks of a pair; every change leaves them whole in one of the two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from shopsphere.deploy.secrets import Read, Write, read_secrets, remove_secrets, set_secrets
from shopsphere.estate.event_log import EVENT_LOG_SECRET_NAMES
from shopsphere.estate.pair_secrets import AUTHORITY, OTHER_SECRET_NAMES, PAIR_SECRET_NAMES, other_name
from shopsphere.estate.renewal import SecretKind, Stage, bundle, fingerprint, is_same
from shopsphere.estate.stack import StackId
from shopsphere.foundation.errors import ShopSphereError

Remove = Callable[[StackId, Iterable[str]], None]
END_OF_CERTIFICATE = "-----END CERTIFICATE-----"
SHARED = frozenset({*PAIR_SECRET_NAMES, *OTHER_SECRET_NAMES, *EVENT_LOG_SECRET_NAMES})


class PairStacks:
    """Both stacks, read once when this is made, and kept as they are written.

    Args:
        stacks: the pair's two, in the order in which they are written.
        read: decrypts a stack's secrets.
        write: encrypts values into a stack.
        remove: takes names out of a stack.

    Raises:
        ShopSphereError: a stack's secrets cannot be decrypted here.
    """

    def __init__(
        self,
        stacks: tuple[StackId, ...],
        *,
        read: Read = read_secrets,
        write: Write = set_secrets,
        remove: Remove = remove_secrets,
    ) -> None:
        self.stacks = stacks
        self._write, self._remove = write, remove
        self._held = {stack: {name: value for name, value in read(stack).items() if name in SHARED} for stack in stacks}

    def of(self, stack: StackId) -> Mapping[str, str]:
        """Return the shared secrets of a stack."""
        return self._held[stack]

    def have(self, kind: SecretKind) -> bool:
        """Whether the pair has secrets of a kind, by either stack."""
        return any(map(kind.is_of, self._held.values()))

    def require_equal(self, kind: SecretKind) -> Mapping[str, str]:
        """Return the secrets of a kind, which both stacks have to hold.

        Raises:
            ShopSphereError: they differ, or one is missing; the message has no value.
        """
        first, *others = (self._held[stack] for stack in self.stacks)
        names = [name for each in kind.names for name in (each, other_name(each))]
        differing = [name for name in names if any(first.get(name) != other.get(name) for other in others)]
        missing = [name for name in kind.names if name not in first]
        if differing or missing:
            raise ShopSphereError.build(
                f"{kind.name}: the two stacks of the pair do not hold the same",
                expected="equal secrets, as `shopsphere up` of the pair leaves them",
                found=", ".join(
                    [*(f"{each} differs" for each in differing), *(f"{each} is missing" for each in missing)]
                ),
                action="go on with the rotation that was begun, from where its records are; else `shopsphere up` of "
                "the pair, after copying the differing values from the stack that was deployed last",
            )
        return {name: first[name] for name in kind.names}

    def find(self, kind: SecretKind, fingerprints: Mapping[str, str]) -> dict[str, str]:
        """Return those values that have these fingerprints, wherever they are; what is nowhere is left out."""
        found: dict[str, str] = {}
        for name in kind.names:
            for value in self._candidates(name):
                if fingerprint(value) == fingerprints.get(name):
                    found[name] = value
                    break
        return found

    def hold(self, layout: Mapping[str, str | None]) -> None:
        """Let both stacks hold what a layout says, one after the other; what they hold already is not written."""
        for stack in self.stacks:
            held = self._held[stack]
            changed = {name: value for name, value in layout.items() if value is not None and held.get(name) != value}
            gone = [name for name, value in layout.items() if value is None and name in held]
            if changed:
                self._write(stack, changed)
                held |= changed
            if gone:
                self._remove(stack, gone)
                for name in gone:
                    del held[name]

    def stage(self, kind: SecretKind, old: Mapping[str, str], new: Mapping[str, str]) -> Stage:
        """Return the last stage at which both stacks are, `Stage.OLD` where they are at none."""
        return min(stage_in(self._held[stack], kind, old, new) for stack in self.stacks)

    def _candidates(self, name: str) -> Iterator[str]:
        for held in self._held.values():
            for key in (name, other_name(name)):
                value = held.get(key)
                if value is None:
                    continue
                yield value
                if name == AUTHORITY:
                    blocks = [f"{each}{END_OF_CERTIFICATE}\n" for each in value.split(END_OF_CERTIFICATE)[:-1]]
                    yield bundle(*blocks[:-1])  # while two are believed, the new one comes last
                    yield bundle(*blocks[-1:])


def stage_in(values: Mapping[str, str], kind: SecretKind, old: Mapping[str, str], new: Mapping[str, str]) -> Stage:
    """Return the last stage whose layout values have; `Stage.OLD` for none.

    Args:
        values: of a stack's configuration.
        kind: of which secrets.
        old: by the kind's names; those that are nowhere any more may be missing.
        new: by the kind's names.
    """
    if not new:
        return Stage.OLD
    known = kind.complete(old)
    for stage in reversed(kind.stages):
        layout = kind.layout(stage, known, new)
        if all(is_same(values.get(name), wanted) for name, wanted in layout.items()):
            return stage
    return Stage.OLD
