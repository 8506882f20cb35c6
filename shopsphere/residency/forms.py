"""The forms in which data shows a token: text in several encodings, escapes, base64, hexadecimal digits, digests."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from shopsphere.residency.tokens import Token

DIGESTS = ("md5", "sha1", "sha256")
_ALIGNMENTS = 3
"""Base64 makes four letters of three bytes, so a text looks different by how many bytes stand before it."""


@dataclass(frozen=True)
class Needle:
    """One form of one token, as bytes.

    Attributes:
        token: its name.
        form: what reports call the form.
        octets: what is looked for; lower case where `folded`.
        folded: whether capital letters count as small ones.
        breakable: whether programs that write this form break it over lines (mail, dumps).
    """

    token: str
    form: str
    octets: bytes
    folded: bool = False
    breakable: bool = False


def needles(token: Token) -> tuple[Needle, ...]:
    """Return every form of a token once; of equal ones the first."""
    found: dict[tuple[bytes, bool], Needle] = {}
    for form, octets, folded, breakable in (*_texts(token.value), *_digests(token.value), *_identifiers(token.value)):
        kept = octets.lower() if folded else octets
        found.setdefault((kept, folded), Needle(token.name, form, kept, folded, breakable))
    return tuple(found.values())


def plain(token: Token) -> tuple[Needle, ...]:
    """Return the forms in which a token is at home: as text, and an identifier as bytes too."""
    return tuple(
        each for each in needles(token) if each.form in {"UTF-8", "identifier without dashes", "raw identifier"}
    )


_Form = tuple[str, bytes, bool, bool]


def _texts(value: str) -> Iterator[_Form]:
    octets = value.encode()
    yield "UTF-8", octets, True, True
    yield "UTF-16 little-endian", value.encode("utf-16-le"), True, False
    yield "UTF-16 big-endian", value.encode("utf-16-be"), True, False
    yield "percent-encoded", quote(value, safe="").encode(), True, True
    yield "form-encoded", quote_plus(value, safe="").encode(), True, True
    for case in dict.fromkeys((value, value.lower(), value.upper())):
        # Of a text in capitals the digits of an escape are other ones.
        yield "percent-encoded, every letter", "".join(f"%{byte:02x}" for byte in case.encode()).encode(), True, True
        yield "quoted-printable", "".join(f"={byte:02x}" for byte in case.encode()).encode(), True, True
        yield "hexadecimal", case.encode().hex().encode(), True, True
        yield "HTML, decimal", "".join(f"&#{ord(each)};" for each in case).encode(), True, False
        yield "HTML, hexadecimal", "".join(f"&#x{ord(each):x};" for each in case).encode(), True, False
        yield "JSON escapes", "".join(f"\\u{ord(each):04x}" for each in case).encode(), True, False
        yield "string escapes", "".join(f"\\x{byte:02x}" for byte in case.encode()).encode(), True, False
        yield from _base64("base64", case.encode())
        yield from _base64("base64 of UTF-16", case.encode("utf-16-le"))
    yield "quoted-printable, signs", quote(value, safe=" ").replace("%", "=").encode(), True, True
    yield "HTML, signs", value.replace("&", "&amp;").replace("@", "&#64;").encode(), True, False


def _base64(form: str, octets: bytes) -> Iterator[_Form]:
    """Yield what a text is in base64 after 0, 1 and 2 other bytes, without letters that depend on its neighbours."""
    for before in range(_ALIGNMENTS):
        spelled = base64.b64encode(bytes(before) + octets)
        whole_bits = 8 * (before + len(octets))
        inner = spelled[-(-8 * before // 6) : whole_bits // 6]
        yield f"{form}, offset {before}", inner, False, True
        yield f"{form} for addresses, offset {before}", inner.translate(bytes.maketrans(b"+/", b"-_")), False, True


def _digests(value: str) -> Iterator[_Form]:
    for name in DIGESTS:
        for case in dict.fromkeys((value, value.lower())):
            digest = hashlib.new(name, case.encode(), usedforsecurity=False).digest()
            title = name.upper().replace("SHA", "SHA-")
            spelled = base64.b64encode(digest).rstrip(b"=")
            yield f"{title}, hexadecimal", digest.hex().encode(), True, False
            yield f"{title}, raw", digest, False, False
            yield f"{title}, base64", spelled, False, False
            yield f"{title}, base64 for addresses", spelled.translate(bytes.maketrans(b"+/", b"-_")), False, False


def _identifiers(value: str) -> Iterator[_Form]:
    """Yield the other forms of a UUID: databases keep it as 16 bytes."""
    try:
        identifier = uuid.UUID(value)
    except ValueError:
        return
    yield "identifier without dashes", identifier.hex.encode(), True, False
    yield "raw identifier", identifier.bytes, False, False
    yield "base64 of the raw identifier", base64.b64encode(identifier.bytes).rstrip(b"="), False, False
