"""A customer who does not exist, at the shop's own front door: `python -m shopsphere.residency.customer`.

It reads who the customer is from its standard input (JSON), signs up where a password is given, fills a cart, checks
out as the page proposes, and prints the order. Run where a jurisdiction's customers are, so that DNS leads it to their
region as it leads them.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from shopsphere.clients.html_forms import Form, form_in
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError
from shopsphere.foundation.keep_alive import KEPT_ALIVE
from shopsphere.foundation.trust import client_context

_ANSWER_SECONDS = 20.0
_POSTCODES = {"SG": "018956"}
_USUAL_POSTCODE = "10115"
"""Valid in most countries: what is not typed here is chosen as the form proposes it."""
_PRODUCT = re.compile(r'href="(/products/[\w-]+)"')
_ORDER = re.compile(r"/orders/([0-9a-f-]{36})")
_PRODUCTS_TRIED = 5


class FrontDoorError(NoAnswerError):
    """The shop did not take an order."""


class Person(BaseModel):
    """Who the customer is.

    Attributes:
        shop: address of the shop.
        email: of the customer, likewise name, street and city.
        words: to print or engrave; at most 24 characters.
        password: for an account; empty for a guest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shop: str
    email: str
    name: str
    street: str
    city: str
    words: str = ""
    password: str = ""


def order(person: Person, http: httpx.Client) -> str:
    """Order as a customer does and return the order's identifier.

    Raises:
        FrontDoorError: the shop refused, with what it said.
        NoFormError: a page is another one than a customer expects.
    """
    who = {"email": person.email, "name": person.name}
    if person.password:
        form = form_in(_page(http, "/account/sign-up"), "/account/sign-up")
        _accepted(_send(http, form, {**who, "password": person.password}), "the sign-up")
    _fill_cart(http, person.words)
    form = form_in(_page(http, "/checkout"), "/checkout")
    country = form.fields.get("country", "")
    address = {"street": person.street, "city": person.city, "postcode": _POSTCODES.get(country, _USUAL_POSTCODE)}
    answer = _accepted(_send(http, form, {**who, **address}), "the checkout")
    if found := _ORDER.search(answer.headers.get("location", "")):
        return found[1]
    raise _refused("the checkout", f"a way to {answer.headers.get('location', 'nowhere')!r}")


def _fill_cart(http: httpx.Client, words: str) -> None:
    """Put the first product into the cart that is to be had, with words on it."""
    offered = list(dict.fromkeys(_PRODUCT.findall(_page(http, "/"))))[:_PRODUCTS_TRIED]
    said = "no product on the home page"
    for product in offered:
        answer = _send(http, form_in(_page(http, product), "/cart/items"), {"text": words} if words else {})
        if answer.is_redirect:
            return
        said = f"{answer.status_code} for {product}"
    raise _refused("the cart", said)


def _page(http: httpx.Client, path: str) -> str:
    answer = http.get(path)
    if answer.status_code != httpx.codes.OK:
        raise _refused(f"the page {path}", str(answer.status_code))
    return answer.text


def _send(http: httpx.Client, form: Form, changes: Mapping[str, str]) -> httpx.Response:
    return http.post(form.action, data={**form.fields, **changes})


def _accepted(answer: httpx.Response, what: str) -> httpx.Response:
    if not answer.is_redirect:
        raise _refused(what, str(answer.status_code))
    return answer


def _refused(what: str, found: str) -> ShopSphereError:
    return FrontDoorError.build(
        f"{what} was not taken",
        expected="what a customer gets",
        found=found,
        action="look at the shop with a browser, and at `shopsphere status`; then plant again",
    )


def main() -> None:
    """Order once, as the standard input says."""
    try:
        person = Person.model_validate_json(sys.stdin.read(1 << 16))
        trust = client_context()  # the host's own authorities
        transport = httpx.HTTPTransport(verify=trust, trust_env=False, socket_options=KEPT_ALIVE)
        with httpx.Client(base_url=person.shop, timeout=_ANSWER_SECONDS, trust_env=False, transport=transport) as http:
            sys.stdout.write(json.dumps({"order": order(person, http)}) + "\n")
    except (ShopSphereError, ValidationError, httpx.HTTPError) as error:
        sys.exit(f"error: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
