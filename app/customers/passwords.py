"""Password hashes: scrypt from the standard library, parameters stored with each hash.

A password is the characters that somebody meant, whichever keyboard they sat at (RFC 8265, OpaqueString): every kind
of space is the plain one, and the text is in NFC. Nothing is stripped: a space at the end is a part of it. The first
hashes of this shop (scheme `scrypt`) were made of what was left after stripping, and are compared by that rule.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata

# 2^14 * 8 * 128 B = 16 MiB, and PARALLEL passes of about 50 ms each: for p=5 OWASP asks for at least 2^14 and r=8.
COST, BLOCK, PARALLEL = 2**14, 8, 5
SALT_BYTES, HASH_BYTES = 16, 32
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 254
"""Characters."""
_STRIPPED, _OPAQUE = "scrypt", "scrypt-opaque"


class PasswordError(ValueError):
    """A password that cannot be taken; the message says why, for the customer."""


def opaque(password: str) -> str:
    """Return the one form of a password that is hashed.

    Raises:
        PasswordError: it holds a control character, or has too few or too many characters.
    """
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in password)
    text = unicodedata.normalize("NFC", spaced)
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise PasswordError("A password cannot hold tabs, line breaks and other control characters.")
    if not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD:
        raise PasswordError(f"Your password needs {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    return text


def hash_password(password: str) -> str:
    """Return `scrypt-opaque$cost$block$parallel$salt$hash`.

    Raises:
        PasswordError: the password cannot be taken.
    """
    salt = secrets.token_bytes(SALT_BYTES)
    return _stored(salt, _scrypt(opaque(password), salt, COST, BLOCK, PARALLEL))


def is_password(password: str, stored: str) -> bool:
    """Return whether a password fits a stored hash, in time that does not tell where it differs."""
    scheme, cost, block, parallel, salt, digest = stored.split("$")
    text = _as_hashed(password, scheme)
    computed = _scrypt(text, base64.b64decode(salt), int(cost), int(block), int(parallel))
    return hmac.compare_digest(computed, base64.b64decode(digest))


def _as_hashed(password: str, scheme: str) -> str:
    """Return what a scheme hashes; a password that it never takes becomes one that fits no hash, and costs as much."""
    if scheme == _STRIPPED:
        return password.strip()[:LONGEST_PASSWORD]
    try:
        return opaque(password)
    except PasswordError:
        return ""


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    memory = 128 * block * (cost + parallel + 2)
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=parallel, dklen=HASH_BYTES, maxmem=memory)


def _stored(salt: bytes, digest: bytes) -> str:
    return "$".join((_OPAQUE, str(COST), str(BLOCK), str(PARALLEL), _text(salt), _text(digest)))


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


# Compared against when there is no such customer, so that an unknown address takes as long as a wrong password. It is
# the hash of nothing that anybody knows; making one would keep each process 0.3 s from its start.
NOBODY = _stored(secrets.token_bytes(SALT_BYTES), secrets.token_bytes(HASH_BYTES))
