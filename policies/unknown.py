"""Values that are not known yet, in properties as Pulumi writes them: to touch one is an error, never a guess.

The policy SDK has the same for what it hands to a pack; this is for a plan, a state or a test, which are plain values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

Read = TypeVar("Read")
UNKNOWN_VALUES = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""What the engine writes in place of a boolean, number, text, list, asset, archive or object that it cannot know."""


class NotKnownError(Exception):
    """A rule touched a value that is not known before the update.

    Attributes:
        path: where the value is, as in metadata.labels.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} is not known before the update")


_TOUCHED_UNKNOWN: list[type[Exception]] = [NotKnownError]


def raises_too(error: type[Exception]) -> None:
    """Note that values from elsewhere raise this error when they are touched and not known."""
    if error not in _TOUCHED_UNKNOWN:
        _TOUCHED_UNKNOWN.append(error)


def known(read: Callable[[], Read]) -> Read | None:
    """Return what is read, or None while it is not known: for a value that is judged again before it is used.

    In an update every input is known before its resource is created, so a rule sees it then.
    """
    try:
        return read()
    except tuple(_TOUCHED_UNKNOWN):
        return None


class KnownMapping(Mapping[str, Any]):
    """A mapping whose unknown values raise NotKnownError when they are touched; keys are always known."""

    def __init__(self, values: Mapping[str, Any], path: tuple[str, ...] = ()) -> None:
        self._values, self._path = values, path

    def __getitem__(self, key: str) -> Any:
        return _touched(self._values[key], (*self._path, key))

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class KnownSequence(Sequence[Any]):
    """A list whose unknown entries raise NotKnownError when they are touched."""

    def __init__(self, values: Sequence[Any], path: tuple[str, ...]) -> None:
        self._values, self._path = values, path

    def __getitem__(self, at: Any) -> Any:
        return _touched(self._values[at], (*self._path, str(at)))

    def __len__(self) -> int:
        return len(self._values)


def _touched(value: Any, path: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        if value in UNKNOWN_VALUES:
            raise NotKnownError(".".join(path))
        return value
    if isinstance(value, Mapping):
        return KnownMapping(value, path)
    return KnownSequence(value, path) if isinstance(value, Sequence) else value
