"""Adds entries to a YAML text where people wrote it, so that its comments and its layout stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

from shopsphere.foundation.errors import ShopSphereError


class InsertionError(ShopSphereError):
    """A text has no place where an entry could be added."""


def appended(text: str, key: str, lines: Sequence[str], *, file: str, indent: int = 0) -> str:
    """Return a text with lines added at the end of what stands under a key.

    Args:
        text: a YAML document in block style at this place.
        key: the key, which stands at the beginning of a line.
        lines: what is added, with its own indentation.
        file: name of the document, for messages.
        indent: spaces before the key.

    Raises:
        InsertionError: the key is not there exactly once, or what it holds does not begin on a line of its own.
    """
    written = text.splitlines()
    head = f"{' ' * indent}{key}:"
    found = [number for number, line in enumerate(written) if line.partition(" #")[0].rstrip() == head]
    if len(found) != 1:
        raise InsertionError.build(
            f"{file}: nothing can be added under {key}",
            expected=f"one line {head!r} with its entries on the lines below",
            found=f"{len(found)} of them",
            action="write it in this form, or add the entry by hand",
        )
    last = found[0]
    for number in range(found[0] + 1, len(written)):
        line = written[number]
        if not line.strip():
            continue
        depth = len(line) - len(line.lstrip(" "))
        if depth > indent:
            last = number
        elif not line.lstrip().startswith("#"):
            break
    return "\n".join([*written[: last + 1], *lines, *written[last + 1 :]]) + "\n"


def lengthened(text: str, line: int, key: str, words: Sequence[str], *, file: str) -> str:
    """Return a text with words added to a list that stands in brackets on one line.

    Raises:
        InsertionError: the line has no such list.
    """
    written = text.splitlines()
    before, bracket, after = written[line - 1].partition("]")
    if not bracket or f"{key}: [" not in before:
        raise InsertionError.build(
            f"{file}:{line}: nothing can be added to {key}",
            expected=f"a list on one line, as in {key}: [one, other]",
            found=written[line - 1].strip(),
            action="write it in this form, or add the entry by hand",
        )
    written[line - 1] = f"{before}, {', '.join(words)}]{after}"
    return "\n".join(written) + "\n"
