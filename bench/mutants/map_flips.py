"""Flips one entry of the residency map at a time: where each class may be, which sites are a jurisdiction's."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from mutators import REPOSITORY, digest

from shopsphere.topology import loader

FILE = "topology.yaml"
HELD_AT = ("home", "anywhere", "headquarters")
Values = dict[str, Any]


@dataclass(frozen=True)
class Flip:
    """One entry that is another one.

    Attributes:
        id: entry, and what became what.
        path: keys that lead to the entry; several entries change at once where one alone is no map.
    """

    id: str
    changes: tuple[tuple[tuple[str, ...], Any], ...]

    def into(self, values: Values) -> Values:
        flipped = copy.deepcopy(values)
        for path, value in self.changes:
            entry = flipped
            for key in path[:-1]:
                entry = entry[key]
            entry[path[-1]] = value
        return flipped

    def change(self) -> Callable[[], None]:
        """What a fork does first: whoever loads the topology from its file gets the flipped one."""

        def install() -> None:
            validated = loader._validated  # noqa: SLF001 the one step that every reading of the file takes
            loader._validated = lambda written, sources: validated(self.into(written), sources)  # noqa: SLF001

        return install


def text() -> str:
    return (REPOSITORY / FILE).read_text()


def source() -> str:
    return digest(text())


def flips() -> Iterator[Flip]:
    """Yield every flip of the map that the repository has."""
    values: Values = yaml.safe_load(text())
    for name, data_class in values["data_classes"].items():
        for other in HELD_AT:
            if other != data_class["held_at"]:
                yield _set(values, ("data_classes", name, "held_at"), other)
        if name not in values["cdn"]["carries"]:
            yield _set(values, ("cdn", "carries"), [*values["cdn"]["carries"], name])
    yield from _exchanges(values)


def _exchanges(values: Values) -> Iterator[Flip]:
    jurisdictions = values["jurisdictions"]
    names = list(jurisdictions)
    for one, other in zip(names, [*names[1:], names[0]], strict=True):
        yield _exchange(values, ("jurisdictions", one, "sites"), ("jurisdictions", other, "sites"))
        yield _exchange(values, ("jurisdictions", one, "client_networks"), ("jurisdictions", other, "client_networks"))
        for number, site in enumerate(jurisdictions[one]["sites"]):
            moved = [each for each in jurisdictions[one]["sites"] if each != site]
            yield Flip(
                f"{FILE}: site {site} of {one} -> of {other} (entry {number})",
                (
                    (("jurisdictions", one, "sites"), moved),
                    (("jurisdictions", other, "sites"), [*jurisdictions[other]["sites"], site]),
                ),
            )
    pairs = list(values["pairs"])
    for one, other in zip(pairs, [*pairs[1:], pairs[0]], strict=True):
        yield _exchange(values, ("pairs", one, "recovery"), ("pairs", other, "recovery"))
    sites = list(values["sites"])
    for one, other in zip(sites, [*sites[1:], sites[0]], strict=True):
        for entry in ("address", "pod_network", "service_network"):
            yield _exchange(values, ("sites", one, entry), ("sites", other, entry))
    for site in sites:
        if site != values["headquarters"]:
            yield _set(values, ("headquarters",), site)


def _set(values: Values, path: tuple[str, ...], value: object) -> Flip:
    return Flip(f"{FILE}: {'.'.join(path)}: {_at(values, path)} -> {value}", ((path, value),))


def _exchange(values: Values, one: tuple[str, ...], other: tuple[str, ...]) -> Flip:
    changes = ((one, _at(values, other)), (other, _at(values, one)))
    return Flip(f"{FILE}: {'.'.join(one)} <-> {'.'.join(other)}", changes)


def _at(values: Values, path: tuple[str, ...]) -> Any:
    found: Any = values
    for key in path:
        found = found[key]
    return found
