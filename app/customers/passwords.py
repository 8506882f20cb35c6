"""Password hashes: scrypt from the standard library, parameters stored with each hash."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

# 2^14 * 8 * 128 B = 16 MiB, and PARALLEL passes of about 50 ms each: for p=5 OWASP asks for at least 2^14 and r=8.
COST, BLOCK, PARALLEL = 2**14, 8, 5
SALT_BYTES, HASH_BYTES = 16, 32


def hash_password(password: str) -> str:
    """Return `scrypt$cost$block$parallel$salt$hash`."""
    salt = secrets.token_bytes(SALT_BYTES)
    digest = _scrypt(password, salt, COST, BLOCK, PARALLEL)
    return "$".join(("scrypt", str(COST), str(BLOCK), str(PARALLEL), _text(salt), _text(digest)))


def is_password(password: str, stored: str) -> bool:
    """Return whether a password fits a stored hash, in time that does not tell where it differs."""
    _, cost, block, parallel, salt, digest = stored.split("$")
    computed = _scrypt(password, base64.b64decode(salt), int(cost), int(block), int(parallel))
    return hmac.compare_digest(computed, base64.b64decode(digest))


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    memory = 128 * block * (cost + parallel + 2)
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=parallel, dklen=HASH_BYTES, maxmem=memory)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


# Compared against when there is no such customer, so that an unknown address takes as long as a wrong password.
NOBODY = hash_password(secrets.token_hex())
