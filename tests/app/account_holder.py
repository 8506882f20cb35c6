"""A customer with an account, as tests of what becomes of it need one."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import httpx
from running_shop import Shop
from shopper import Shopper

PASSWORD = "correct horse battery"


@dataclass
class Holder:
    """One customer, signed in with one browser."""

    shopper: Shopper
    email: str

    def erase(self, **changes: str) -> httpx.Response:
        form = self.shopper.form("/account/erase", "/account/erase")
        return self.shopper.send(form, **{"password": PASSWORD, "confirmed": "yes", **changes})

    def elsewhere(self, shopper: Shopper) -> Shopper:
        """Sign in with another browser as well."""
        assert sign_in(shopper, self.email).status_code == 303
        return shopper

    def customer(self, shop: Shop) -> str:
        rows = shop.cluster.query("commerce", "SELECT id FROM customers.customer WHERE email = %s", self.email)
        return str(rows[0][0])


def sign_up(shopper: Shopper, email: str = "") -> Holder:
    email = email or f"{uuid4().hex}@example.org"
    form = shopper.form("/account/sign-up", "/account/sign-up")
    assert shopper.send(form, name="Grace Hopper", email=email, password=PASSWORD).status_code == 303
    return Holder(shopper, email)


def sign_in(shopper: Shopper, email: str) -> httpx.Response:
    form = shopper.form("/account/sign-in", "/account/sign-in")
    return shopper.send(form, email=email, password=PASSWORD)
