"""Sends what Hypothesis made up to a running shop, and judges each answer."""

import time
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import unquote
from uuid import uuid4

from hypothesis import HealthCheck, Phase, given, seed, settings
from judge import FoundError, Judge
from raw_http import ask
from shapes import Changed, Raw, steps
from shop_processes import CALL_KEY
from shopper import ADDRESS, Shopper

from app.sealed_calls import KEY, Question, Seals
from shopsphere.clients.html_forms import form_in


@dataclass(frozen=True)
class Target:
    """Where the storefront and the payments service listen."""

    shop: str
    payments: str


def play(target: Target, judge: Judge, *, requests: int, number: int) -> None:
    """Send about `requests` requests; the same number makes up the same ones.

    Raises:
        FoundError: an answer broke a rule; the shortest sequence that was found is in the message.
    """

    @seed(number)
    @settings(
        max_examples=max(1, requests // 6),
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(steps)
    def once(sequence: list[Raw | Changed]) -> None:
        shopper = Shopper(target.shop)
        # A client of its own, as the gateway would tell it: else the limits of one client would keep the others out.
        shopper.http.headers["x-forwarded-for"] = f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1"
        with shopper.http:
            for step in sequence:
                if isinstance(step, Raw):
                    _send(target, shopper, judge, step)
                else:
                    _fill_in(shopper, judge, step)

    once()


def _send(target: Target, shopper: Shopper, judge: Judge, raw: Raw) -> None:
    is_call = raw.target.startswith(b"/v1/")
    url = target.payments if is_call else target.shop
    headers = list(raw.headers)
    if is_call and len(raw.body) % 4:  # the others are refused at the door
        headers += _seal(raw)
    session = shopper.http.cookies.get("session")
    if session and not any(name == b"cookie" for name, _ in headers):
        headers.append((b"cookie", b"session=" + session.encode()))
    start = time.monotonic()
    try:
        status = ask(url, raw.target or b"/", method=raw.method, headers=headers, body=raw.body, seconds=60).status
    except (HTTPException, OSError) as error:
        raise FoundError(f"{type(error).__name__} instead of an answer to {raw!r}") from error
    judge.see(raw, status, time.monotonic() - start)


def _seal(raw: Raw) -> list[tuple[bytes, bytes]]:
    """Return the seal of somebody who has the key, so that what is behind the payments service's door hears it."""
    path, _, query = raw.target.partition(b"?")
    keys = [value.strip(b" \t") for name, value in raw.headers if name == KEY.encode()]
    asked = Question(
        raw.method.decode(),
        unquote(path.decode("latin-1")),
        query.decode("latin-1"),
        keys[-1].decode("latin-1") if keys else "",
        raw.body,
    )
    return [(name.encode(), value.encode()) for name, value in Seals(CALL_KEY).headers(asked).items()]


def _fill_in(shopper: Shopper, judge: Judge, step: Changed) -> None:
    if step.action == "/checkout":  # there is something in the cart, so that the form is there
        form = form_in(shopper.http.get("/products/low-sun-tote").text, "/cart/items")
        judge.see("a product for the cart", shopper.http.post(form.action, data=form.fields).status_code, 0)
    page = shopper.http.get(step.page).text
    if f'action="{step.action}"' not in page:
        return
    form = form_in(page, step.action)
    fields = {**form.fields, **(ADDRESS if step.action == "/checkout" else {}), **dict(step.changes)}
    if step.action.startswith("/account/"):  # an account of its own: else the wait after wrong passwords answers all
        own = {"name": "Ada", "email": f"{uuid4().hex}@example.org", "password": "correct horse"}
        fields = {**fields, **own, **dict(step.changes)}
    if not step.keyed:
        fields["idempotency_key"] = uuid4().hex
    start = time.monotonic()
    answer = shopper.http.post(form.action, data=fields)
    judge.see(step, answer.status_code, time.monotonic() - start)
    if answer.status_code == 303 and answer.headers["location"].startswith("/"):
        start = time.monotonic()
        followed = shopper.http.get(answer.headers["location"])
        judge.see(f"page after {step!r}", followed.status_code, time.monotonic() - start)
