"""A customer with a browser that has no JavaScript: reads pages, fills in their forms, sends them."""

from __future__ import annotations

import ssl

import httpx

from shopsphere.clients.html_forms import Form, form_in
from shopsphere.foundation.trust import usual_trust

ADDRESS = {
    "email": "ada@example.org", "name": "Ada Lovelace", "street": "Ring 1", "postcode": "10115", "city": "Berlin",
    "country": "DE",
}  # fmt: skip
POSTCODES = {"SG": "018956"}
"""Where Berlin's is none: the countries that a region's shop proposes first."""


class Shopper:
    """One customer and their cookies."""

    def __init__(self, url: str, *, trust: ssl.SSLContext | None = None) -> None:
        self.http = httpx.Client(base_url=url, timeout=30, trust_env=False, verify=trust or usual_trust())

    def get(self, path: str) -> httpx.Response:
        answer = self.http.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer

    def form(self, path: str, action: str) -> Form:
        return form_in(self.get(path).text, action)

    def send(self, form: Form, **changes: str) -> httpx.Response:
        assert form.method == "post"
        return self.http.post(form.action, data={**form.fields, **changes})

    def add(self, slug: str = "tidal-rings-tee", **changes: str) -> httpx.Response:
        return self.send(self.form(f"/products/{slug}", "/cart/items"), **changes)

    def checkout_form(self) -> Form:
        form = self.form("/checkout", "/checkout")
        form.fields |= ADDRESS
        return form

    def buy(self, payment_method: str = "tok_visa", slug: str = "tidal-rings-tee", **changes: str) -> str:
        assert self.add(slug, **changes).status_code == 303
        answer = self.send(self.checkout_form(), payment_method=payment_method)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]


def at_home(form: Form) -> dict[str, str]:
    """Return the address in the country that the form proposes: a shop delivers in its own jurisdiction."""
    country = form.fields["country"]
    return {**ADDRESS, "country": country, "postcode": POSTCODES.get(country, ADDRESS["postcode"])}


def order_of(location: str) -> str:
    return location.split("/")[2]
