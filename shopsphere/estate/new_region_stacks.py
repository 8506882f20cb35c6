"""The stack files of a new region: those of the last one with other names, and nothing that its owner filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from shopsphere.estate.stack_files import PLACEHOLDER
from shopsphere.topology import Pair, Topology

_SCALARS = "stateBackend|kubeconfig|context|apiServer|siteAgent|pspUrl|publicUrl|staticUrl"
_OWN = (
    (re.compile(r"^(encryptionsalt|encryptedkey|secretsprovider):.*\n", re.MULTILINE), ""),
    (re.compile(r"^(  \S+:\S+:)[ ]*\n    secure: .*$", re.MULTILINE), rf"\1 {PLACEHOLDER}"),
    (re.compile(rf"^(  shopsphere:(?:{_SCALARS}): )[^#\s]+", re.MULTILINE), rf"\1{PLACEHOLDER}"),
    (re.compile(r"^(  shopsphere:pspNetworks:)(?: \[.*\]|(?:\n {4}- .*)+)", re.MULTILINE), rf"\1 [{PLACEHOLDER}]"),
    (
        re.compile(r"^(  shopsphere:paymentMethods:)(?: \{.*\}|(?:\n {4}.*)+)", re.MULTILINE),
        rf"\1 {{tok_card: {PLACEHOLDER}}}",
    ),
    (re.compile(r"(\bpath: )[^,}\s]+"), rf"\1{PLACEHOLDER}"),
    (re.compile(r"^(    [a-z]+: )[^/\s{\[]+/", re.MULTILINE), rf"\1{PLACEHOLDER}/"),
)
"""What an owner has put into a production file, and what stands there instead before that."""


def stack_texts(topology: Topology, source: Pair, wanted: Pair, folder: Path) -> dict[str, str]:
    """Return the files of a new pair's project by name, made from those of another pair.

    Args:
        topology: has both pairs.
        source: pair whose files are taken.
        wanted: the new pair.
        folder: the project of `source`.
    """
    names = _new_names(topology, source, wanted)
    made = {}
    for file in sorted(folder.iterdir()):
        if file.is_symlink() or not _is_committed(file.name, source):
            continue  # a lab's own file with its secrets, or something that Python or an editor left
        text = file.read_text(encoding="utf-8")
        text = emptied(text) if file.name.startswith("Pulumi.prod-") else text
        made[_renamed(file.name, names)] = _renamed(text, names)
    return made


def emptied(text: str) -> str:
    """Return a production file in which everything that is one site's own has to be filled in."""
    for pattern, replacement in _OWN:
        text = pattern.sub(replacement, text)
    return text


def _is_committed(name: str, pair: Pair) -> bool:
    own = [f"lab-{site}.base.yaml" for site in pair.sites] + [f"Pulumi.prod-{site}.yaml" for site in pair.sites]
    return name in {"Pulumi.yaml", "__main__.py", *own}


def _new_names(topology: Topology, source: Pair, wanted: Pair) -> dict[str, str]:
    names = {source.name: wanted.name, source.name.upper(): wanted.name.upper()}
    for before, after in zip(source.sites, wanted.sites, strict=True):
        old, new = topology.site(before), topology.site(after)
        names |= {old.name: new.name, old.city: new.city, str(old.address): str(new.address)}
    return names


def _renamed(text: str, names: Mapping[str, str]) -> str:
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    return pattern.sub(lambda found: names[found[0]], text)
