"""A customer at a client host who has nothing but curl: follows the forms, keeps cookies in a jar."""

import uuid

from lab_access import At
from shopper import at_home

from shopsphere.clients.html_forms import Form, form_in
from shopsphere.foundation.process import Result

SHOP = "https://www.shopsphere.test"


class CurlCustomer:
    """Args: how to run a command at a host, the host, and an address of the shop to use instead of what DNS says."""

    def __init__(self, at: At, host: str, address: str = "") -> None:
        self._at = at
        self._host = host
        self._resolve = ("--resolve", f"www.shopsphere.test:443:{address}") if address else ()
        self._jar = f"/tmp/jar-{uuid.uuid4().hex}"

    def get(self, path: str) -> str:
        return self._curl(f"{SHOP}{path}", "-f").stdout

    def form(self, path: str, action: str) -> Form:
        return form_in(self.get(path), action)

    def send(self, form: Form, **changes: str) -> tuple[int, str]:
        """Send a form and return the status code and the path that the answer leads to."""
        pairs = {**form.fields, **changes}.items()
        data = [word for name, value in pairs for word in ("--data-urlencode", f"{name}={value}")]
        shown = ("-o", "/dev/null", "-w", "%{http_code} %{redirect_url}")
        status, _, location = self._curl(f"{SHOP}{form.action}", *shown, *data).stdout.partition(" ")
        return int(status), location.removeprefix(SHOP)

    def fill_cart(self, slug: str) -> None:
        status, _ = self.send(self.form(f"/products/{slug}", "/cart/items"))
        assert status == 303

    def checkout_form(self) -> Form:
        form = self.form("/checkout", "/checkout")
        form.fields |= at_home(form) | {"payment_method": "tok_visa"}
        return form

    def _curl(self, url: str, *options: str) -> Result:
        return self._at(
            self._host, "curl", "-sS", "-m", "15", "-b", self._jar, "-c", self._jar, *self._resolve, *options, url
        )
