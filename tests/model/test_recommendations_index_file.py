"""The file of an index: what was written is read, what was damaged is refused and an empty index used."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recommendations.building import Limits, build
from app.recommendations.clicks import Clicks
from app.recommendations.index import ARRAYS, SessionIndex, empty_index
from app.recommendations.index_file import FIRST_LINE, UnusableIndexError, load, load_or_empty, save

pytestmark = pytest.mark.requirement("a restart of the recommender is warm, and a damaged index is refused")

NOW = 1_800_000_000
INDEX = build(
    Clicks.of((key, product, NOW - key) for key in range(7) for product in range(1, 12) if (key + product) % 3), NOW
)


def same(one: SessionIndex, other: SessionIndex) -> bool:
    equal = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in (*ARRAYS, "rarity"))
    return equal and one.newest == other.newest


@pytest.mark.parametrize("index", [INDEX, empty_index()])
def test_what_was_written_is_read(tmp_path: Path, index: SessionIndex) -> None:
    file = tmp_path / "sessions"
    save(index, file)
    save(index, file)
    assert same(load(file), index)
    assert load_or_empty(file).problem == ""
    assert [each.name for each in tmp_path.iterdir()] == ["sessions"]
    for name in ARRAYS:
        assert getattr(load(file), name).dtype == np.int32
        assert not getattr(load(file), name).flags.writeable


def test_the_first_start_has_no_file_and_no_problem(tmp_path: Path) -> None:
    loaded = load_or_empty(tmp_path / "sessions")
    assert (loaded.index.sessions, loaded.problem) == (0, "")


def test_a_volume_that_cannot_be_read_is_a_problem_and_no_end(tmp_path: Path) -> None:
    loaded = load_or_empty(tmp_path)
    assert loaded.index.sessions == 0
    assert "directory" in loaded.problem


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("index") / "sessions"
    save(INDEX, file)
    return file


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_bit_that_is_another_is_found_wherever_it_is(written: Path, at: int, bit: int) -> None:
    content = bytearray(written.read_bytes())
    content[at % len(content)] ^= 1 << bit
    damaged = written.with_name("damaged")
    damaged.write_bytes(content)
    with pytest.raises(UnusableIndexError, match="expected"):
        load(damaged)
    assert load_or_empty(damaged).index.sessions == 0


@given(length=st.integers(0, 10_000))
def test_a_file_that_ends_early_or_goes_on_is_refused(written: Path, length: int) -> None:
    content = written.read_bytes()
    length %= len(content)
    damaged = written.with_name("damaged")
    for bad in (content[:length], content + b"\0" * (length + 1)):
        damaged.write_bytes(bad)
        with pytest.raises(UnusableIndexError, match="expected"):
            load(damaged)


def test_the_message_says_what_is_wrong_and_what_to_do(written: Path) -> None:
    damaged = written.with_name("damaged")
    damaged.write_bytes(written.read_bytes()[:-1])
    problem = load_or_empty(damaged).problem
    assert str(damaged) in problem
    assert "expected: contents with SHA-256" in problem
    assert "do:       nothing now: the next rebuild writes a whole file" in problem


def test_another_format_is_refused_by_its_name(written: Path) -> None:
    damaged = written.with_name("damaged")
    damaged.write_bytes(written.read_bytes().replace(b"format 1\n", b"format 2\n", 1))
    with pytest.raises(UnusableIndexError, match=r"found: +b'shopsphere index of sessions, format 2"):
        load(damaged)


def test_a_file_that_is_larger_than_an_index_may_be_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "sessions"
    save(build(Clicks.of((key, product, NOW) for key in range(200) for product in (1, 2)), NOW), file)
    assert load(file, Limits(sessions=200, looks=400)).sessions == 200
    with pytest.raises(UnusableIndexError, match="at most"):
        load(file, Limits(sessions=20, looks=40))
    endless = load_or_empty(Path("/dev/zero"), Limits(sessions=1, looks=2))
    assert "at most" in endless.problem


@pytest.mark.parametrize("newest", [1, 12, 123, 1234])
def test_numbers_of_a_file_are_where_the_processor_reads_them_at_once(tmp_path: Path, newest: int) -> None:
    """Heads of four lengths: without room behind them, arrays of three of the files would be copied at each search."""
    file = tmp_path / "sessions"
    save(dataclasses.replace(INDEX, newest=newest), file)
    loaded = load(file)
    assert [name for name in ARRAYS if not getattr(loaded, name).flags.aligned] == []
    assert loaded.newest == newest


@pytest.mark.parametrize(
    ("limits", "word"),
    [(Limits(sessions=6), "more sessions"), (Limits(looks=51), "more looks"), (Limits(longest=7), "longer session"),
     (Limits(postings=4), "a product with more")],
)  # fmt: skip
def test_an_index_of_larger_limits_is_refused(written: Path, limits: Limits, word: str) -> None:
    """7 sessions of 7 or 8 products, 52 looks, each product in 4 or 5 of them."""
    assert load(written, Limits(sessions=7, looks=52, longest=8, postings=5)).sessions == 7
    with pytest.raises(UnusableIndexError, match=word):
        load(written, limits)


def sealed(arrays: dict[str, list[int]], lengths: object = None, newest: int = NOW) -> bytes:
    """A file with a right digest, whatever it says."""
    told = {name: len(array) for name, array in arrays.items()} if lengths is None else lengths
    head = msgspec.json.encode({"newest": newest, "lengths": told})
    rest = len(head).to_bytes(4) + head + b"".join(np.array(array, "<i4").tobytes() for array in arrays.values())
    return FIRST_LINE + hashlib.sha256(rest).digest() + rest


GOOD = {
    "products": [4, 9], "posting_starts": [0, 2, 3], "postings": [0, 1, 1], "session_starts": [0, 2, 4],
    "session_products": [0, 1, 0, 1], "ages": [5, 0],
}  # fmt: skip


def test_the_good_one_of_those_below_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "sessions"
    file.write_bytes(sealed(GOOD))
    assert load(file).products.tolist() == [4, 9]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"products": [9, 4]}, "do not ascend"),
        ({"products": [0, 9]}, "do not ascend"),
        ({"products": [4, 2**20]}, "do not ascend"),
        ({"products": [4]}, "starts than of products"),
        ({"posting_starts": [0, 3, 2]}, "starts than of products"),
        ({"posting_starts": [1, 2, 3]}, "starts than of products"),
        ({"posting_starts": [0, 3, 3]}, "starts than of products"),
        ({"posting_starts": []}, "starts than of products"),
        ({"postings": [0, 1, 2]}, "session that there is not"),
        ({"postings": [0, -1, 1]}, "session that there is not"),
        ({"session_starts": [0, 3, 4]}, "starts than of sessions"),
        ({"session_starts": [0, -(2**31), 4]}, "starts than of sessions"),
        ({"ages": [5]}, "starts than of sessions"),
        ({"session_products": [0, 1, 0, 2]}, "product that there is not"),
        ({"session_products": [0, 1, 0, -1]}, "product that there is not"),
        ({"session_products": [0, 0, 0, 1]}, "products of a session"),
        ({"session_products": [1, 0, 0, 1]}, "products of a session"),
        ({"postings": [1, 0, 1]}, "sessions of a product"),
        ({"postings": [1, 1, 1]}, "sessions of a product"),
        ({"products": [4, 8, 9], "posting_starts": [0, 1, 2, 3]}, "product of no session"),
        ({"ages": [-(2**31), 0]}, "ages"),
        ({"ages": [0, 5]}, "ages"),
        ({"ages": [5, 1]}, "ages"),
    ],
)
def test_arrays_that_do_not_fit_to_each_other_are_refused_though_the_digest_is_right(
    tmp_path: Path, change: dict[str, list[int]], word: str
) -> None:
    file = tmp_path / "sessions"
    file.write_bytes(sealed({**GOOD, **change}))
    with pytest.raises(UnusableIndexError, match=word):
        load(file)


@pytest.mark.parametrize("newest", [-1, 2**40, 2**63, 2**80])
def test_a_time_that_cannot_be_is_refused(tmp_path: Path, newest: int) -> None:
    file = tmp_path / "sessions"
    file.write_bytes(sealed(GOOD, newest=newest))
    with pytest.raises(UnusableIndexError, match="expected"):
        load(file)


@pytest.mark.parametrize(
    "lengths",
    [{}, [], "x", {"products": -1}, dict.fromkeys(GOOD, 2**60), {name: len(GOOD[name]) for name in sorted(GOOD)},
     {**{name: len(array) for name, array in GOOD.items()}, "products": 3}, {**dict.fromkeys(GOOD, 0), "ages": -4}],
)  # fmt: skip
def test_lengths_that_are_not_those_of_the_arrays_are_refused(tmp_path: Path, lengths: object) -> None:
    file = tmp_path / "sessions"
    file.write_bytes(sealed(GOOD, lengths))
    with pytest.raises(UnusableIndexError, match="expected"):
        load(file)


def test_a_file_that_cannot_be_finished_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "sessions"
    save(INDEX, file)

    def no_room(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.recommendations.index_file.os.fsync", no_room)
    with pytest.raises(OSError, match="No space"):
        save(empty_index(), file)
    assert same(load(file), INDEX)
