"""The products that a visitor looked at last, in a cookie of the visitor's own browser.

It holds product numbers, the day and nothing else, in letters that can be read; no server remembers them, and removing
the cookie forgets them. It is signed, so that what comes back is what this region's shop gave: with the session
secret, or the other one that is believed while that is renewed, and the cookie names which of the two. Whatever else
comes in its place is no product, and never an error.

`1.<key>.<day>.<numbers>.<signature>`: format, digest of the secret, days since 1970, numbers with `-` between them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping, Sequence

from litestar.datastructures import Cookie

from app.recommendations.bounds import DAY_SECONDS, LARGEST_NUMBER, MOST_VIEWED

FORMAT = "1"
DAYS = 30
"""How long products are remembered after the last one was added."""
LONGEST = 160
"""Characters of a value that are looked at; 8 numbers of 7 digits make 124."""
_VALUE = re.compile(
    rf"{FORMAT}\.([0-9a-f]{{8}})\.([0-9]{{1,6}})\.([0-9]{{1,7}}(?:-[0-9]{{1,7}})*)\.([A-Za-z0-9_-]{{43}})"
)
Products = tuple[int, ...]


def with_viewed(products: Sequence[int], product: int) -> Products:
    """Return the latest products with one more, which is the latest one now; the latest one stands last."""
    return (*(each for each in products if each != product), product)[-MOST_VIEWED:]


class RecentlyViewed:
    """Signs and reads the cookie with the products that a visitor looked at last.

    Args:
        secret: shared by all pods of a region; it signs. ValueError for none: anybody could sign with that.
        other: the one before it or the one after it, whose cookies are read as well; empty for none.
        region: name of the pair of sites; a cookie of another region is not read.
        secure: with https the cookie has the `__Host-` prefix: this host only, this site only, never over http.
        days: how long products are remembered.
        now: s since 1970; replaceable in tests.
    """

    def __init__(
        self,
        secret: str,
        region: str,
        *,
        secure: bool,
        other: str = "",
        days: int = DAYS,
        now: Callable[[], float] = time.time,
    ) -> None:
        if not secret:
            raise ValueError("expected a secret to sign with, found none")
        self._secrets = {_name_of(each): each.encode() for each in (other, secret) if each}
        self._signs_with = _name_of(secret)
        self._region = region
        self._secure = secure
        self._days = days
        self._now = now
        self.name = "__Host-recently" if secure else "recently"

    def read(self, cookies: Mapping[str, str]) -> Products:
        """Return the products of a cookie that we signed, the latest one last; none for anything else."""
        value = cookies.get(self.name, "")
        found = _VALUE.fullmatch(value) if len(value) <= LONGEST else None
        if found is None:
            return ()
        name, day, numbers, signature = found.groups()
        secret = self._secrets.get(name)
        if secret is None or not hmac.compare_digest(self._sign(secret, name, day, numbers), signature):
            return ()
        products = tuple(int(number) for number in numbers.split("-"))
        usable = len(products) <= MOST_VIEWED and all(1 <= each <= LARGEST_NUMBER for each in products)
        return products if usable and 0 <= self._today() - int(day) + 1 <= self._days + 1 else ()

    def write(self, products: Sequence[int]) -> Cookie:
        """Return the cookie to set for the products that were looked at last, the latest one last; 1 or more."""
        usable = [product for product in products if 1 <= product <= LARGEST_NUMBER][-MOST_VIEWED:]
        if not usable:
            return self.remove()
        name, day, numbers = self._signs_with, str(self._today()), "-".join(map(str, usable))
        signature = self._sign(self._secrets[name], name, day, numbers)
        return self._cookie(f"{FORMAT}.{name}.{day}.{numbers}.{signature}", self._days * DAY_SECONDS)

    def remove(self) -> Cookie:
        """Return the cookie to set when nothing is to be remembered any more."""
        return self._cookie("", 0)

    def _cookie(self, value: str, seconds: int) -> Cookie:
        return Cookie(
            key=self.name, value=value, path="/", httponly=True, samesite="lax", secure=self._secure, max_age=seconds
        )

    def _today(self) -> int:
        return int(self._now() // DAY_SECONDS)

    def _sign(self, secret: bytes, *parts: str) -> str:
        # Each part with its length: no two lists of parts make one text.
        told = ("recently", FORMAT, self._region, *parts)
        text = "".join(f"{len(part.encode())}:{part}\n" for part in told)
        return base64.urlsafe_b64encode(hmac.digest(secret, text.encode(), "sha256")).decode().rstrip("=")


def _name_of(secret: str) -> str:
    """Return what a cookie calls a secret: it tells nothing of the secret."""
    return hmac.new(secret.encode(), b"name of a key of recently viewed products", hashlib.sha256).hexdigest()[:8]
