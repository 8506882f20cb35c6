"""Sign-up, sign-in, sign-out. A session's id changes whenever its rights do."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from app.cart import repository as carts
from app.customers import repository
from app.customers.entrance import hash_new, recognise
from app.customers.passwords import SHORTEST_PASSWORD, PasswordError, opaque
from app.orders import repository as orders
from app.web.person_fields import EMAIL, NAME
from app.web.posting import Done, Posting, fields_of, form_comes_back, post_once
from app.web.refusals import RefusedError
from app.web.services import Request, services_of
from app.web.visitors import open_session, visitor_of

AFTERWARDS = "/orders"


@get("/account/sign-in")
async def sign_in_form(request: Request) -> Response[Any]:
    """Show the sign-in form."""
    return services_of(request).templates.page("sign_in.html", visitor=await visitor_of(request))


@get("/account/sign-up")
async def sign_up_form(request: Request) -> Response[Any]:
    """Show the sign-up form."""
    visitor = await visitor_of(request)
    return services_of(request).templates.page("sign_up.html", visitor=visitor, shortest=SHORTEST_PASSWORD)


@post("/account/sign-in")
async def sign_in(request: Request) -> Response[None]:
    """Start a signed-in session; limits and the hash come before its transaction."""
    async with form_comes_back(request, _sign_in_again):
        fields = await fields_of(request)
        customer = await recognise(request, fields.get("email", ""), fields.get("password", ""))
        return (await post_once(request, partial(_enter, customer=customer)))[1]


@post("/account/sign-up")
async def sign_up(request: Request) -> Response[None]:
    """Make a customer and start a signed-in session."""
    async with form_comes_back(request, _sign_up_again):
        fields = await fields_of(request)
        _require_account(fields)
        name, email = fields["name"], fields["email"]
        hashed = await hash_new(request, email, fields["password"])

        async def open_account(posting: Posting) -> Done:
            customer = await repository.insert(posting.connection, email, name, hashed)
            if customer is None:
                advice = "There is an account with this address. Sign in instead."
                raise RefusedError(409, "We cannot open this account", advice, problems={"email": advice})
            return await _enter(posting, customer)

        return (await post_once(request, open_account))[1]


@post("/account/sign-out")
async def sign_out(request: Request) -> Response[None]:
    """End the session."""
    return (await post_once(request, _sign_out))[1]


def _require_account(fields: Mapping[str, str]) -> None:
    problems = {field.name: field.problem_of(fields.get(field.name, "")) for field in (NAME, EMAIL)}
    try:
        opaque(fields.get("password", ""))
    except PasswordError as error:
        problems["password"] = str(error)
    problems = {name: problem for name, problem in problems.items() if problem}
    if problems:
        raise RefusedError.of_fields(problems)


async def _again(request: Request, error: RefusedError, *, page: str, **more: object) -> Response[Any]:
    return services_of(request).templates.page(
        page, status=error.status, headers=error.headers, visitor=await visitor_of(request), form=error.entries, **more
    )


_sign_in_again = partial(_again, page="sign_in.html")
_sign_up_again = partial(_again, page="sign_up.html", shortest=SHORTEST_PASSWORD)


async def _sign_out(posting: Posting) -> Done:
    if posting.visitor.session is None:  # of a stranger: nothing names the session that was opened for this form
        await repository.forget_session(posting.connection, posting.session)
    else:
        await repository.end_session(posting.connection, posting.session)
    return Done("/", None)


async def _enter(posting: Posting, customer: UUID) -> Done:
    """Start a session of a customer; what the guest had in this browser, cart and orders, is the customer's now."""
    connection = posting.connection
    session = await open_session(connection, posting.services.settings.region.retention, customer)
    if posting.visitor.customer is None:
        # Rows of orders before carts, as a declined payment locks them; then once more, since an order may have been
        # placed while this waited for the cart.
        await orders.give_to_customer(connection, posting.session, customer)
        await carts.merge(connection, posting.session, session)
        await orders.give_to_customer(connection, posting.session, customer)
    await repository.end_session(connection, posting.session)
    return Done(AFTERWARDS, session)


ROUTES: list[Any] = [sign_in_form, sign_up_form, sign_in, sign_up, sign_out]
