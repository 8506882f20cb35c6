"""Requests that nobody should send, and forms that somebody might, as Hypothesis strategies."""

from dataclasses import dataclass
from urllib.parse import quote_from_bytes, urlencode

from hypothesis import strategies as st

SPECIAL = (
    b"", b"\x00", b"%00", b"%", b"%zz", b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"..", b"../../etc/passwd",
    b"%2e%2e%2f", b"' OR 1=1 --", b"'><script>", b"{{7*7}}", b"${7*7}", b"9" * 1000, b"-1", b"1e309", b"NaN", b"0x10",
    "\u0663".encode(), "\u200b\u202e".encode(), "e\u0301".encode(), "\U0001f469\u200d\U0001f680".encode(),
    b"a" * 3000, "\u0130".encode(), "\ufdfa".encode() * 20, b"null", b"[]", b"tidal-rings-tee", b"hoodies",
    b"2", b"DE", b"tok_visa",
)  # fmt: skip
SEGMENTS = (
    b"", b"categories", b"hoodies", b"search", b"products", b"tidal-rings-tee", b"cart", b"items", b"checkout",
    b"orders", b"receipt", b"account", b"sign-in", b"sign-up", b"sign-out", b"pictures", b"static", b"media",
    b"design", b"picture", b"livez", b"readyz", b"version", b"robots.txt", b"sitemap.xml",
    b"00000000-0000-0000-0000-000000000000", b"ink.lyra.front.svg", b"shop.000000000000.css", b"v1",
    b"payments", b"by-key",
)  # fmt: skip
FIELDS = (
    "idempotency_key", "email", "name", "street", "postcode", "city", "country", "payment_method", "product",
    "colour", "size", "motif", "placement", "text", "quantity", "sku", "password", "agreed_total",
    "agreed_cart", "q", "page", "sort",
)  # fmt: skip
HEADERS = (
    b"cookie", b"origin", b"referer", b"sec-fetch-site", b"idempotency-key", b"accept-encoding", b"accept",
    b"x-forwarded-for", b"content-type", b"user-agent", b"range", b"if-none-match", b"forwarded",
    b"x-forwarded-proto", b"accept-language", b"authorization", b"te", b"upgrade", b"connection",
)  # fmt: skip
PATHS = (
    b"/", b"/categories/hoodies", b"/search", b"/products/tidal-rings-tee", b"/cart", b"/checkout", b"/orders",
    b"/account/sign-in", b"/account/sign-up", b"/account/sign-out", b"/cart/items", b"/v1/payments",
    b"/products/tidal-rings-tee/design", b"/products/tidal-rings-tee/picture",
    b"/cart/items/00000000-0000-0000-0000-000000000000",
    b"/orders/00000000-0000-0000-0000-000000000000/receipt",
)  # fmt: skip
TYPES = (
    b"application/x-www-form-urlencoded", b"application/x-www-form-urlencoded; charset=\xff",
    b"application/json", b"multipart/form-data; boundary=x", b"multipart/form-data", b"text/plain", b"\xff",
    b"",
)  # fmt: skip


@dataclass(frozen=True)
class Raw:
    """One request, byte by byte."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(frozen=True)
class Changed:
    """A form of a page, sent with some of its fields changed; `keyed` keeps its idempotency key."""

    page: str
    action: str
    changes: tuple[tuple[str, str], ...]
    keyed: bool


def _line(value: bytes) -> bytes:
    """What can stand in one line of HTTP: the other bytes would make two requests of one."""
    return value.replace(b"\r", b"").replace(b"\n", b"")


values = st.one_of(st.sampled_from(SPECIAL), st.binary(max_size=40), st.text(max_size=40).map(str.encode))
_segments = st.one_of(st.sampled_from(SEGMENTS), values.map(lambda value: quote_from_bytes(value).encode()))
_raw_segments = values.map(lambda value: _line(value).replace(b" ", b"").replace(b"?", b"").replace(b"#", b""))
_paths = st.one_of(
    st.sampled_from(PATHS),
    st.lists(st.one_of(_segments, _raw_segments), max_size=4).map(lambda parts: b"/" + b"/".join(parts)),
)
_pairs = st.lists(st.tuples(st.one_of(st.sampled_from(FIELDS).map(str.encode), values), values), max_size=8)
_encoded = _pairs.map(lambda pairs: urlencode(pairs).encode())
_queries = st.one_of(
    st.just(b""), _encoded, values.map(lambda value: _line(value).replace(b" ", b"").replace(b"#", b""))
)
_targets = st.tuples(_paths, _queries).map(lambda both: both[0] + (b"?" + both[1] if both[1] else b""))
_headers = st.lists(
    st.tuples(st.sampled_from(HEADERS), st.one_of(values, st.sampled_from(TYPES)).map(_line)), max_size=5
).map(tuple)
_bodies = st.one_of(st.just(b""), _encoded, values, st.binary(max_size=400), _pairs.map(repr).map(str.encode))
_METHODS = (b"HEAD", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"XYZZY")
_methods = st.sampled_from((b"GET",) * 8 + (b"POST",) * 8 + _METHODS)
_typed = st.tuples(_headers, st.sampled_from(TYPES[:1] * 12 + TYPES)).map(
    lambda both: (*both[0], (b"content-type", both[1]))
)
raws = st.builds(Raw, _methods, _targets, _typed, _bodies)

_texts = st.one_of(values.map(lambda value: value.decode(errors="replace")), st.text(max_size=60))
_forms = st.sampled_from(
    (
        ("/products/tidal-rings-tee", "/cart/items"),
        ("/products/aurel-one-lamp", "/cart/items"),
        ("/checkout", "/checkout"),
        ("/checkout", "/checkout"),
        ("/account/sign-in", "/account/sign-in"),
        ("/account/sign-up", "/account/sign-up"),
    )
)
_changes = st.lists(st.tuples(st.sampled_from(FIELDS[1:]), _texts), max_size=3).map(tuple)
changed_forms = st.builds(
    lambda form, changes, keyed: Changed(form[0], form[1], changes, keyed), _forms, _changes, st.booleans()
)
steps = st.lists(st.one_of(raws, raws, raws, changed_forms), min_size=1, max_size=12)
