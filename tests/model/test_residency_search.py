"""A token is found in each of its forms, wherever it stands and however the stream is cut; other bytes are none."""

import base64
import gzip
import hashlib
import itertools
import quopri
import random
import re
import shutil
import subprocess
import textwrap
import uuid
import zlib
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopsphere.residency import search as searching
from shopsphere.residency.containers import ContainerError, Lz4Frame
from shopsphere.residency.forms import Needle, needles, plain
from shopsphere.residency.search import Anchored, Found, Search
from shopsphere.residency.tokens import Token

STEM = "qvzkxjwypf"
NAME = Token(name="eu/name", jurisdiction="eu", value=f"{STEM}hmdulrostnae")
EMAIL = Token(name="eu/email", jurisdiction="eu", value=f"{STEM}bcgtrewqpoiu@example.org")
OTHER = Token(name="us/name", jurisdiction="us", value=f"{STEM}zzyxwvutsrqp")
ORDER = Token(name="eu/order", jurisdiction="eu", value="0192f7a1-5b7c-7c44-9d1e-3f2a6b8c9d0e")
TOKENS = (NAME, EMAIL, OTHER, ORDER)
EVERY = [needle for token in TOKENS for needle in needles(token)]
ANCHORED = Anchored(EVERY)
WORD = NAME.value.encode()


ZEROS = bytes(5000)


def look(*pieces: bytes, anchored: Anchored = ANCHORED) -> Found:
    search = Search(anchored)
    for piece in pieces:
        search.feed(piece)
    return search.finish()


def cut(octets: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(octets) + 1) for place in places), len(octets)]
    return [octets[one:other] for one, other in itertools.pairwise(edges)]


def tokens_in(found: Found) -> set[str]:
    return {token for token, _ in found.counts}


@pytest.mark.requirement("a token is found in every form, at every offset, across every boundary of a window")
@settings(max_examples=300, deadline=None)
@given(
    needle=st.sampled_from(EVERY),
    before=st.binary(max_size=80),
    after=st.binary(max_size=80),
    places=st.lists(st.integers(min_value=0), max_size=6),
)
def test_every_form_is_found_once_however_the_stream_is_cut(
    needle: Needle, before: bytes, after: bytes, places: list[int]
) -> None:
    found = look(*cut(before + needle.octets + after, places))
    assert found.counts[needle.token, needle.form] == 1
    assert found.positions[needle.token, needle.form] == [str(len(before))]


@pytest.mark.requirement("random bytes are no finding")
@settings(max_examples=100, deadline=None)
@given(seed=st.integers(), size=st.integers(0, 20_000), places=st.lists(st.integers(min_value=0), max_size=4))
def test_other_bytes_are_none(seed: int, size: int, places: list[int]) -> None:
    found = look(*cut(random.Random(seed).randbytes(size), places))
    assert (dict(found.counts), found.octets, found.left_shut) == ({}, size, 0)


@settings(max_examples=60, deadline=None)
@given(data=st.text(alphabet=STEM + "0123456789abcdef%=&;\r\n\\ux", max_size=600))
def test_text_that_resembles_a_token_is_none(data: str) -> None:
    assert not {key for key in look(data.encode()).counts if NAME.value not in data.lower()}


@pytest.mark.parametrize(
    "written",
    [
        WORD.upper(),
        b"<b>" + WORD.capitalize() + b"</b>",
        NAME.value.encode("utf-16"),
        b"".join(b"%%%02X" % byte for byte in WORD),
        b"".join(b"=%02X" % byte for byte in WORD),
        b"Basic " + base64.b64encode(b"user:" + WORD),
        base64.urlsafe_b64encode(b"??>" + WORD),
        b"\\\\x" + WORD.hex().encode(),
        WORD.hex(" ").replace(" ", "").upper().encode(),
        "".join(f"&#{byte};" for byte in WORD).encode(),
        "".join(f"\\u{byte:04X}" for byte in WORD).encode(),
        hashlib.md5(WORD).hexdigest().encode(),
        hashlib.sha1(WORD).digest(),
        hashlib.sha256(WORD).hexdigest().upper().encode(),
        base64.b64encode(hashlib.sha256(WORD).digest()),
    ],
)
def test_what_other_programs_write_is_recognised(written: bytes) -> None:
    found = look(b"some other words " + written + b" and more")
    assert tokens_in(found) == {NAME.name}


@given(text=st.lists(st.sampled_from([b"=", b"\r", b"\n", b" ", b"\t", b"a"]), max_size=12).map(b"".join))
def test_breaks_are_what_mail_and_dumps_put_between_lines(text: bytes) -> None:
    assert searching._without_breaks(text) == re.sub(rb"=?\r?\n[ \t]?", b"", text)  # noqa: SLF001


@pytest.mark.parametrize("width", [7, 20, 60, 76])
def test_lines_break_anywhere(width: int) -> None:
    mail = b"\r\n".join(base64.b64encode(b"x" * 31 + WORD + b"y" * 40)[at : at + width] for at in range(0, 130, width))
    assert tokens_in(look(mail)) == {NAME.name}
    soft = quopri.encodestring(b"\xc3\xb6" * 11 + WORD + b" more words than fit on a line of a letter")
    assert tokens_in(look(soft)) == {NAME.name}
    folded = "\r\n ".join(textwrap.wrap("to: " + "x" * 9 + NAME.value, width)).encode()
    for at in range(len(folded)):
        assert tokens_in(look(folded[:at], folded[at:])) == {NAME.name}


def test_what_stands_on_one_line_counts_once() -> None:
    assert look(b"a line\n" + WORD + b"\nanother line\n").counts[NAME.name, "UTF-8"] == 1


@pytest.mark.parametrize(
    ("value", "owner"), [(EMAIL.value, "eu/email"), (EMAIL.value.upper(), "eu/email"), (OTHER.value, "us/name")]
)
def test_tokens_with_the_same_beginning_are_told_apart(value: str, owner: str) -> None:
    assert tokens_in(look(value.encode())) == {owner}
    assert tokens_in(look(base64.b64encode(value.lower().encode()))) == {owner}


def test_an_address_is_found_where_its_sign_is_escaped() -> None:
    assert tokens_in(look(f"email={EMAIL.value.replace('@', '%40')}&name=x".encode())) == {EMAIL.name}
    assert tokens_in(look(hashlib.sha256(EMAIL.value.encode()).hexdigest().encode())) == {EMAIL.name}


@pytest.mark.parametrize(
    "written", [uuid.UUID(ORDER.value).bytes, uuid.UUID(ORDER.value).hex.encode(), ORDER.value.upper().encode()]
)
def test_an_identifier_is_found_as_databases_keep_it(written: bytes) -> None:
    assert tokens_in(look(b"\x00\x10" + written + b"\x00")) == {ORDER.name}


def lz4(octets: bytes) -> bytes:
    program = shutil.which("lz4")
    if program is None:
        pytest.skip("no lz4 on this machine")
    return subprocess.run([program, "-q", "-c", "-B4", "-BD"], input=octets, capture_output=True, check=True).stdout


PAGE = b"".join(b"line %d of a page that repeats itself\n" % number for number in range(9000))


@pytest.mark.requirement("gzip, zlib and LZ4 are opened, also within each other and across windows")
@pytest.mark.parametrize("kind", ["gzip", "zlib", "zlib at its best", "lz4"])
@pytest.mark.parametrize("step", [11, 4096, 1 << 20])
def test_containers_are_opened(kind: str, step: int) -> None:
    # Two halves come first, so that even LZ4, which leaves letters as they are, refers to them.
    text = PAGE[: 4000 if step == 11 else None] + WORD[:13] + b"," + WORD[9:] + b"|" + WORD + PAGE[:3000]
    packers: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "zlib": zlib.compress,
        "zlib at its best": lambda octets: zlib.compress(octets, 9),
        "lz4": lz4,
    }
    packed = packers[kind](text)
    stream = b"before it" + packed + b"after it"
    found = look(*(stream[at : at + step] for at in range(0, len(stream), step)))
    assert found.counts[NAME.name, "UTF-8"] == 1
    assert found.positions[NAME.name, "UTF-8"][0].startswith(("gzip at 9, ", "zlib at 9, ", "LZ4 at 9, "))
    assert found.octets == len(stream)
    assert found.left_shut == 0


def test_containers_within_containers_are_opened_three_deep() -> None:
    packed = WORD
    for _ in range(searching.DEEPEST):
        packed = gzip.compress(b"wrapped: " + packed)
    assert tokens_in(look(packed)) == {NAME.name}


def test_a_container_that_would_fill_the_memory_is_cut_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "INFLATED", 1 << 20)
    assert look(gzip.compress(bytes(1 << 22) + WORD)).left_shut == 1


def test_more_containers_than_can_be_open_are_said_to_be_shut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "OPEN_AT_ONCE", 0)
    assert look(gzip.compress(b"an innocent page")).left_shut == 1


def test_a_frame_that_lies_about_its_blocks_is_an_error() -> None:
    frame = bytearray(lz4(PAGE))
    frame[7:11] = (0x7FFFFFFF).to_bytes(4, "little")
    with pytest.raises(ContainerError):
        list(Lz4Frame().feed(bytes(frame)))


def test_plain_forms_are_those_of_home() -> None:
    assert {each.form for each in plain(NAME)} == {"UTF-8"}
    assert {each.form for each in plain(ORDER)} == {"UTF-8", "identifier without dashes", "raw identifier"}


def test_the_window_holds_no_more_than_a_piece_and_the_longest_needle() -> None:
    search = Search(ANCHORED)
    for _ in range(50):
        search.feed(bytes(10_000))
        assert len(search._carry) < 2 * ANCHORED.longest + 4  # noqa: SLF001 - the bound is what is claimed


@pytest.mark.parametrize(
    ("before", "after"), [(b"", ZEROS), (ZEROS, b""), (ZEROS, ZEROS)], ids=["begin", "end", "middle"]
)
def test_what_stands_among_zeros_is_found(before: bytes, after: bytes) -> None:
    for needle in EVERY:
        for octets in (needle.octets, b"\0" + needle.octets + b"\0"):
            assert needle.token in tokens_in(look(before + octets + after)), needle
        middle = len(needle.octets) // 2
        assert needle.token in tokens_in(look(before + needle.octets[:middle], needle.octets[middle:] + after)), needle


def test_zeros_alone_are_looked_at() -> None:
    found = look(ZEROS, ZEROS)
    assert (found.octets, found.counts) == (10_000, {})
