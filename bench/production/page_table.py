"""The table of how docs/production.md is followed: what is done at which host, and which names are replaced."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml
from page_blocks import Block, Page

HERE = Path(__file__).resolve().parent
TABLE = HERE / "page.yaml"
ALL = "all"
_DOINGS = ("block", "do", "follow", "bring", "fill", "skip")


class TableError(Exception):
    """The table and the page do not belong together."""


@dataclass(frozen=True)
class Act:
    """One entry of the table; page.yaml says what each word means."""

    step: str
    at: tuple[str, ...] = ()
    block: str = ""
    says: str = ""
    do: str = ""
    names: Mapping[str, str] | None = None
    also: tuple[Mapping[str, str], ...] = ()
    instead: str = ""
    because: str = ""
    skip: str = ""
    folder: str = "/root"
    expect: str = ""
    refused: bool = False
    ends: int = 0
    keep: str = ""
    follow: str = ""
    written_at: str = "keys"
    enable: tuple[str, ...] = ()
    bring: Mapping[str, str] | None = None
    copy: tuple[str, ...] = ()
    fill: bool = False
    restart: bool = False

    @property
    def title(self) -> str:
        """What a person sees of it."""
        return f"{self.step}: {self.block or self.says}"


@dataclass(frozen=True)
class Table:
    """The table, read."""

    hosts: Mapping[str, str]
    names: Mapping[str, str]
    printed: Mapping[str, str]
    acts: tuple[Act, ...]

    def scripts(self, act: Act, page: Page) -> list[str]:
        """Return what is run for an act at each of its hosts, one after the other."""
        text = act.instead or act.do or block_of(act, page).text
        return [replaced(text, {**self.names, **(act.names or {}), **more}) for more in ({}, *act.also)]


def read_table(path: Path = TABLE) -> Table:
    """Read the table.

    Raises:
        TableError: an act has a word that means nothing.
    """
    written: dict[str, Any] = yaml.safe_load(path.read_text())
    return Table(written["hosts"], written["names"], written["printed"], tuple(map(_act, written["acts"])))


def _act(written: Mapping[str, Any]) -> Act:
    renamed = {{"with": "names", "in": "folder"}.get(key, key): value for key, value in written.items()}
    if strange := set(renamed) - {each.name for each in fields(Act)}:
        raise TableError(f"{written}: nothing means {', '.join(sorted(strange))}")
    values: dict[str, Any] = {key: tuple(each) if isinstance(each, list) else each for key, each in renamed.items()}
    return Act(**values)


def block_of(act: Act, page: Page) -> Block:
    """Return the block of the page that an act runs.

    Raises:
        TableError: there is none, or more than one.
    """
    found = [each for each in page.blocks if each.step == act.step and act.block in each.text]
    if len(found) != 1:
        raise TableError(f"step {act.step} of the page has {len(found)} blocks with {act.block!r}")
    return found[0]


def replaced(text: str, names: Mapping[str, str]) -> str:
    """Replace names of the page by ours, all at once: the longest first, and none within what was put in."""
    if not names:
        return text
    ordered = sorted(names, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, ordered)), lambda found: names[found[0]], text)


def problems(table: Table, page: Page) -> list[str]:
    """Return what of the table is not of the page, and which blocks of the page nobody follows."""
    found = [each for act in table.acts for each in _problems_of(act, table, page)]
    followed = [(act.step, act.block) for act in table.acts if act.block]
    for block in page.blocks:
        times = sum(step == block.step and words in block.text for step, words in followed)
        if times != 1:
            found.append(f"step {block.step}: {block.text.splitlines()[0]!r} is followed {times} times")
    return found


def _problems_of(act: Act, table: Table, page: Page) -> Iterator[str]:
    if not any(getattr(act, doing) for doing in _DOINGS):
        yield f"{act.title}: does nothing"
    if bool(act.instead) != bool(act.because):
        yield f"{act.title}: what runs in place of a block has its reason, and nothing else has one"
    for each in act.at:
        if each not in {*table.hosts, ALL}:
            yield f"{act.title}: no host {each}"
    if not act.block and (not act.says or " ".join(act.says.split()) not in page.words.get(act.step, "")):
        yield f"{act.title}: the page does not say this in that step"
    if act.block:
        try:
            yield from _unknown_names(act, block_of(act, page))
        except TableError as error:
            yield str(error)


def _unknown_names(act: Act, block: Block) -> Iterator[str]:
    """A name that the page does not have replaces nothing, so nobody would see that it is out of date."""
    text = act.instead or block.text
    for name in {name for each in (act.names or {}, *act.also) for name in each}:
        if name not in text:
            yield f"{act.title}: {name!r} does not occur there"
