"""Reads YAML that people wrote: each value is exactly what stands there, or it is refused with its line.

YAML reads `010` as 8, `1:30` as 90, `1_50` as 150, `no` as false and `2026-01-02` as a day. Whoever wrote one of these
meant something else more often than not, and other readers of the same file differ. So a number is decimal, a truth
value is `true` or `false`, and everything else that YAML would take for something of its own has to be in quotes.

Everything has a bound, so that a damaged or hostile file is refused in a moment instead of filling the machine.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml
from yaml.resolver import Resolver

from shopsphere.foundation.document_problem import Problem
from shopsphere.foundation.errors import ShopSphereError

LONGEST_TEXT = 1024 * 1024
"""Characters of a document; the longest of ours has some ten thousand."""
LONGEST_EXPLAINED = 64 * 1024
"""Characters up to which a broken document is read again by the parser that explains better, which is slow."""
DEPTH_LIMIT = 20
"""Levels of a document; none of ours has half as many."""
VALUES_LIMIT = 20_000
"""Values of a document, those that aliases repeat counted each time; ours have a few hundred."""
LONGEST_NUMBER = 18
LONGEST_QUOTED = 40
"""Characters of a value that a message quotes."""

_RESOLVER = Resolver()
_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+([eE][-+]?[0-9]{1,3})?")
_TRUTH = {"true": True, "false": False}
_READ_AS = {
    "bool": "a truth value",
    "int": "a number in another notation",
    "float": "a number in another notation",
    "timestamp": "a point in time",
    "merge": "an order to merge",
    "null": "nothing",
    "value": "a default",
}


class YamlError(Exception):
    """A text that is not read; its callers say which file it is from.

    Attributes:
        problems: all that is wrong, in the order of the document.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"line {each.line}: {each.found}, not {each.expected}" for each in problems))


@dataclass(frozen=True)
class YamlText:
    """A document that was read.

    Attributes:
        value: dicts with texts as keys, lists, texts, integers, decimals, truth values and None.
        lines: of each place, as in `sites.dublin.racks`.
    """

    value: Any
    lines: dict[str, int]


def read_yaml(text: str) -> YamlText:
    """Read one document.

    Raises:
        YamlError: with the place, the line, what was expected and what was found, of every problem.
    """
    if len(text) > LONGEST_TEXT:
        found = f"{len(text)} characters"
        raise YamlError((Problem("", f"at most {LONGEST_TEXT} characters", found),))
    try:
        reader = _Reader(yaml.CSafeLoader)
        return reader.read(text)
    except yaml.YAMLError as error:
        raise _syntax_error(text, error) from error


def read_yaml_file(file: Path, error_class: type[ShopSphereError] = ShopSphereError) -> Any:
    """Return what a file holds.

    Args:
        file: the file.
        error_class: what to raise.

    Raises:
        ShopSphereError: it cannot be opened, is no text, or has a value that is not read; of the wanted class.
    """
    try:
        return read_yaml(file.read_text(encoding="utf-8")).value
    except YamlError as error:
        listed = [each.paragraph(file.name) for each in error.problems]
        raise error_class("\n".join([*listed, f"  do:       correct {file}"])) from error
    except (OSError, UnicodeDecodeError) as error:
        found = "no text in UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)
        raise error_class.build(
            f"{file.name}: cannot be read", expected="a text file", found=found, action=f"correct {file}"
        ) from error


def _syntax_error(text: str, error: yaml.YAMLError) -> YamlError:
    # libyaml is ten times as fast, but the Python parser says more exactly what is wrong: its message is shown.
    if len(text) <= LONGEST_EXPLAINED:
        try:
            _Reader(yaml.SafeLoader).read(text)
        except yaml.YAMLError as explained:
            error = explained
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or " ".join(str(error).split())
    return YamlError((Problem("", "YAML", str(said), mark.line + 1 if mark else None),))


@dataclass
class _Built:
    """A value and the number of values in it."""

    value: Any
    count: int = 1


@dataclass
class _Reader:
    """Builds values while the parser tells of its events; nothing of a document is held before it was counted."""

    loader: type[yaml.CSafeLoader | yaml.SafeLoader]
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str, _Built] = field(default_factory=dict)
    count: int = 0

    def read(self, text: str) -> YamlText:
        parser = self.loader(text)
        try:
            events = self._events(parser)
            first = next(events)
            value = None if isinstance(first, yaml.StreamEndEvent) else self._document(events)
        finally:
            parser.dispose()
        if self.problems:
            raise YamlError(tuple(self.problems))
        return YamlText(value, self.lines)

    @staticmethod
    def _events(parser: yaml.CSafeLoader | yaml.SafeLoader) -> Iterator[yaml.Event]:
        while parser.check_event():
            event: Any = parser.get_event()
            if not isinstance(event, yaml.StreamStartEvent):
                yield event

    def _document(self, events: Iterator[yaml.Event]) -> Any:
        value = self._node(next(events), events, "", DEPTH_LIMIT).value
        next(events)  # the document's end
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._stop("", "one document", "another one after it", after)
        return value

    def _node(self, event: Any, events: Iterator[yaml.Event], path: str, depth: int) -> _Built:
        if isinstance(event, yaml.AliasEvent):
            return self._repeated(event, path)
        self._counted(1, path, event)
        if event.tag is not None:
            tag = _quoted(event.tag.removeprefix(_TAG))
            self._stop(path, "no tag: a value is what it looks like", f"the tag {tag}", event)
        if isinstance(event, yaml.ScalarEvent):
            built = _Built(self._scalar(event, path))
        elif depth == 0:
            self._stop(path, f"at most {DEPTH_LIMIT} levels", "more levels", event)
        elif isinstance(event, yaml.MappingStartEvent):
            built = self._mapping(events, path, depth)
        else:
            built = self._list(events, path, depth)
        if event.anchor:
            self.anchors[event.anchor] = built
        return built

    def _mapping(self, events: Iterator[yaml.Event], path: str, depth: int) -> _Built:
        found: dict[str, Any] = {}
        count, seen = 1, dict[str, int]()
        while not isinstance(key := next(events), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent):
                self._stop(path, "a text as key", "a mapping, a list or an alias", key)
            name, line = str(key.value), key.start_mark.line + 1
            place = f"{path}.{name}" if path else name
            if not isinstance(self._scalar(key, place, is_key=True), str):
                name = f"{name} (no text)"  # told already
            if name in seen:
                found_again = f"the key again, first on line {seen[name]}"
                self.problems.append(Problem(place, "each key once", found_again, line))
            seen.setdefault(name, line)
            self.lines[place] = line
            entry = self._node(next(events), events, place, depth - 1)
            found[name] = entry.value
            count += entry.count
        return _Built(found, count)

    def _list(self, events: Iterator[yaml.Event], path: str, depth: int) -> _Built:
        found: list[Any] = []
        count = 1
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            place = f"{path}.{len(found)}"
            self.lines[place] = event.start_mark.line + 1
            entry = self._node(event, events, place, depth - 1)
            found.append(entry.value)
            count += entry.count
        return _Built(found, count)

    def _repeated(self, event: yaml.AliasEvent, path: str) -> _Built:
        target = self.anchors.get(event.anchor)
        if target is None:
            expected = "an alias of a part that stands before it and is complete"
            self._stop(path, expected, f"*{_quoted(event.anchor)}", event)
        self._counted(target.count, path, event)
        return _Built(copy.deepcopy(target.value), target.count)

    def _scalar(self, event: yaml.ScalarEvent, path: str, *, is_key: bool = False) -> Any:
        written = str(event.value)
        if not event.implicit[0]:  # in quotes, or a block of text
            return written
        kind = _RESOLVER.resolve(yaml.ScalarNode, written, (True, False)).removeprefix(_TAG)  # type: ignore[no-untyped-call]
        if kind == "str":
            return written
        value = None if is_key else _exact(kind, written)
        if value is not None or (kind == "null" and not is_key):
            return value
        shown = _quoted(written)
        other = "" if is_key or kind not in {"int", "float"} else "a decimal number, or "
        length = f" of {len(written)} digits" if len(written) > LONGEST_NUMBER and kind in {"int", "float"} else ""
        read_as = "no finite number" if written.lower().endswith((".nan", ".inf")) else _READ_AS.get(kind, kind)
        found = f"{shown}, which YAML reads as {read_as}{length}"
        self.problems.append(Problem(path, f'{other}text in quotes, as in "{shown}"', found, _line(event)))
        return None

    def _counted(self, more: int, path: str, event: yaml.Event) -> None:
        self.count += more
        if self.count > VALUES_LIMIT:
            self._stop(path, f"at most {VALUES_LIMIT} values, with those that aliases repeat", "more values", event)

    def _stop(self, path: str, expected: str, found: str, event: yaml.Event) -> NoReturn:
        raise YamlError((*self.problems, Problem(path, expected, found, _line(event))))


def _exact(kind: str, written: str) -> int | float | bool | None:
    """Return what a plain word stands for; None where it could be read in two ways, or is longer than any number."""
    if len(written) > LONGEST_NUMBER:
        return None
    match kind:
        case "bool":
            return _TRUTH.get(written)
        case "int":
            return int(written) if _INTEGER.fullmatch(written) else None
        case "float":
            return float(written) if _DECIMAL.fullmatch(written) else None
    return None


def _quoted(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]}…"


def _line(event: yaml.Event) -> int:
    return int(event.start_mark.line) + 1
