"""An index in one file, so that a process that starts again knows at once what goes together.

A first line with the format's version, the SHA-256 of all that follows, a JSON object with the lengths of the arrays,
and the arrays, as 32-bit numbers, the lowest byte first. Spaces after the object put the first number at a multiple of
4 bytes: searching numbers at another place copies all of them at each question. A file that is not exactly this is
refused: by its digest when it was damaged, by its contents when something else wrote it. Nothing is guessed: an index
is made anew within minutes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from app.errors import ShopError
from app.recommendations.bounds import LARGEST_NUMBER
from app.recommendations.building import LIMITS, SHORTEST, Limits
from app.recommendations.clicks import LARGEST_TIME
from app.recommendations.index import ARRAYS, Rows, SessionIndex, empty_index

FIRST_LINE = b"shopsphere index of sessions, format 1\n"
DIGEST_BYTES = 32
LARGEST_HEAD = 1024
"""Bytes of the JSON object at most."""
LENGTH_BYTES = 4
BEFORE_HEAD = len(FIRST_LINE) + DIGEST_BYTES + LENGTH_BYTES
NUMBER = np.dtype("<i4")
ACTION = "nothing now: the next rebuild writes a whole file; look at the volume's disk if this comes again"


class UnusableIndexError(ShopError):
    """A file with an index cannot be used."""

    @classmethod
    def of(cls, path: Path, *, expected: str, found: str) -> UnusableIndexError:
        """Compose the message for a file."""
        problem = f"the index of sessions in {path} is not used"
        return cls(str(cls.build(problem, expected=expected, found=found, action=ACTION)))


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    newest: int
    lengths: dict[str, int]


@dataclass(frozen=True, slots=True)
class Loaded:
    """An index to begin with, and why it is empty though there is a file; the problem is empty when there is none."""

    index: SessionIndex
    problem: str = ""


def save(index: SessionIndex, path: Path) -> None:
    """Write an index to a file; one that is there is replaced in one step, when the new one is on the disk.

    Raises:
        OSError: the folder takes no file, or has no room; the file that was there is as it was.
    """
    arrays = [getattr(index, name).astype(NUMBER, copy=False) for name in ARRAYS]
    lengths = {name: len(array) for name, array in zip(ARRAYS, arrays, strict=True)}
    head = msgspec.json.encode(_Head(index.newest, lengths))
    head += b" " * (-(BEFORE_HEAD + len(head)) % NUMBER.itemsize)
    pieces: list[bytes | memoryview] = [len(head).to_bytes(LENGTH_BYTES), head]
    pieces += [memoryview(array).cast("B") for array in arrays if len(array)]
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    unfinished = path.with_name(f"{path.name}.unfinished")  # one name: what a killed process left is written over
    with unfinished.open("wb") as sink:
        sink.writelines([FIRST_LINE, digest.digest(), *pieces])
        sink.flush()
        os.fsync(sink.fileno())
    unfinished.replace(path)


def load_or_empty(path: Path, limits: Limits = LIMITS) -> Loaded:
    """Return the index of a file; an empty one when there is no file, or with the problem when it cannot be used."""
    try:
        return Loaded(load(path, limits))
    except FileNotFoundError:
        return Loaded(empty_index())
    except (UnusableIndexError, OSError) as error:
        return Loaded(empty_index(), str(error))


def load(path: Path, limits: Limits = LIMITS) -> SessionIndex:
    """Return the index of a file.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read.
        UnusableIndexError: it is of another format, larger than the limits allow, or not what was written.
    """
    most = limits.most_bytes + BEFORE_HEAD + LARGEST_HEAD
    with path.open("rb") as source:
        content = source.read(most + 1)
    if len(content) > most:
        raise UnusableIndexError.of(path, expected=f"at most {most} bytes", found="more")
    if not content.startswith(FIRST_LINE):
        first = content[: len(FIRST_LINE)]
        raise UnusableIndexError.of(path, expected=f"a file that begins with {FIRST_LINE!r}", found=f"{first!r}")
    begin = len(FIRST_LINE) + DIGEST_BYTES
    digest, told = hashlib.sha256(memoryview(content)[begin:]).hexdigest(), content[len(FIRST_LINE) : begin].hex()
    if digest != told:
        raise UnusableIndexError.of(path, expected=f"contents with SHA-256 {told}", found=digest)
    return _read(path, content, begin, limits)


def _read(path: Path, content: bytes, begin: int, limits: Limits) -> SessionIndex:
    """Return the index of a file whose digest is right."""
    length = int.from_bytes(content[begin : begin + LENGTH_BYTES])
    begin += LENGTH_BYTES
    try:
        head = msgspec.json.decode(content[begin : begin + min(length, LARGEST_HEAD)], type=_Head)
    except (msgspec.MsgspecError, ValueError) as error:
        raise UnusableIndexError.of(
            path, expected="a JSON object with the arrays' lengths", found=str(error)
        ) from error
    lengths, begin = head.lengths, begin + length
    named, room = tuple(lengths) == ARRAYS and min(lengths.values()) >= 0, len(content) - begin
    if not named or sum(lengths.values()) * NUMBER.itemsize != room:
        raise UnusableIndexError.of(path, expected=f"{room} bytes of {', '.join(ARRAYS)}", found=f"{lengths}")
    arrays: dict[str, Rows] = {}
    for name in ARRAYS:
        arrays[name] = np.frombuffer(content, NUMBER, lengths[name], begin).astype(np.int32, copy=False)
        begin += lengths[name] * NUMBER.itemsize
    if wrong := _contradiction(limits, head.newest, **arrays):
        expected = "arrays that fit to each other and to the limits of an index"
        raise UnusableIndexError.of(path, expected=expected, found=wrong)
    return SessionIndex(newest=head.newest, **arrays)


def _contradiction(
    limits: Limits,
    newest: int,
    *,
    products: Rows,
    posting_starts: Rows,
    postings: Rows,
    session_starts: Rows,
    session_products: Rows,
    ages: Rows,
) -> str:
    """Return what keeps arrays from being an index, so that no question runs out of one; empty for nothing.

    Each check relies on those before it.
    """
    checks: dict[str, Callable[[], bool]] = {
        "a time that cannot be": lambda: 0 <= newest <= LARGEST_TIME,
        "products that do not ascend": lambda: _ascends(products) and _within(products, 1, LARGEST_NUMBER),
        "another number of starts than of products": lambda: _divides(posting_starts, products, postings, 1),
        "another number of starts than of sessions": lambda: _divides(session_starts, ages, session_products, SHORTEST),
        "more sessions than the limits allow": lambda: len(ages) <= limits.sessions,
        "more looks than the limits allow": lambda: len(session_products) <= limits.looks,
        "a longer session than the limits allow": lambda: _longest(session_starts) <= limits.longest,
        "a product with more sessions than the limits allow": lambda: _longest(posting_starts) <= limits.postings,
        "a session that there is not": lambda: _within(postings, 0, len(ages) - 1),
        "a product that there is not": lambda: _within(session_products, 0, len(products) - 1),
        "sessions of a product that do not ascend": lambda: _ascends_in_each(postings, posting_starts),
        "products of a session that do not ascend": lambda: _ascends_in_each(session_products, session_starts),
        "a product of no session": lambda: bool(np.bincount(session_products, minlength=len(products)).all()),
        "ages that do not descend to 0": lambda: bool((ages[1:] <= ages[:-1]).all()) and not ages[-1:].any(),
    }
    return next((name for name, holds in checks.items() if not holds()), "")


def _ascends(numbers: Rows) -> bool:
    return bool((numbers[1:] > numbers[:-1]).all())


def _ascends_in_each(parts: Rows, starts: Rows) -> bool:
    """Whether numbers ascend in each part; where the next one is not larger, a part has to begin."""
    begins = np.zeros(len(parts) + 1, np.bool_)
    begins[starts] = True
    return bool((begins[1:-1] | (parts[1:] > parts[:-1])).all())


def _within(numbers: Rows, low: int, high: int) -> bool:
    return not len(numbers) or (int(numbers.min()) >= low and int(numbers.max()) <= high)


def _divides(starts: Rows, wholes: Rows, parts: Rows, least: int) -> bool:
    """Whether each whole has its parts, `least` or more, and nothing is left over."""
    fits = len(starts) == len(wholes) + 1 and starts[0] == 0 and starts[-1] == len(parts)
    return bool(fits) and bool((starts[1:] - starts[:-1].astype(np.int64) >= least).all())


def _longest(starts: Rows) -> int:
    """Return the length of the longest part; 0 when there is none."""
    return int(np.diff(starts).max(initial=0))
