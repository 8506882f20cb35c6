"""Sign-up, sign-in, sign-out. A session's id changes whenever its rights do."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from litestar import Response, get, post

from app.cart import repository as carts
from app.customers import repository
from app.customers.passwords import NOBODY, hash_password, is_password
from app.orders import repository as orders
from app.web.posting import Done, Posting, post_once
from app.web.refusals import RefusedError
from app.web.services import Request, services_of
from app.web.visitors import open_session, visitor_of

SHORTEST_PASSWORD, LONGEST_FIELD = 10, 254
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
    """Start a signed-in session."""
    return (await post_once(request, _sign_in))[1]


@post("/account/sign-up")
async def sign_up(request: Request) -> Response[None]:
    """Make a customer and start a signed-in session."""
    return (await post_once(request, _sign_up))[1]


@post("/account/sign-out")
async def sign_out(request: Request) -> Response[None]:
    """End the session."""
    return (await post_once(request, _sign_out))[1]


async def _sign_in(posting: Posting) -> Done:
    email, password = posting.fields.get("email", ""), posting.fields.get("password", "")
    found = await repository.credentials_of(posting.connection, email)
    fits = await asyncio.to_thread(is_password, password[:LONGEST_FIELD], found.password_hash if found else NOBODY)
    if found is None or not fits:
        raise RefusedError(401, "That did not match", "Check your e-mail address and password, and try again.")
    return await _enter(posting, found.customer)


async def _sign_up(posting: Posting) -> Done:
    email, name = posting.fields.get("email", ""), posting.fields.get("name", "")
    password = posting.fields.get("password", "")
    local, _, host = email.partition("@")
    if not (local and "." in host and name) or max(len(email), len(name), len(password)) > LONGEST_FIELD:
        raise RefusedError(
            422, "Something is missing", "We need your name and an e-mail address such as name@example.org."
        )
    if len(password) < SHORTEST_PASSWORD:
        raise RefusedError(422, "Your password is too short", f"It needs {SHORTEST_PASSWORD} characters or more.")
    hashed = await asyncio.to_thread(hash_password, password)
    customer = await repository.insert(posting.connection, email, name, hashed)
    if customer is None:
        raise RefusedError(409, "There is an account with this address", "Sign in instead.")
    return await _enter(posting, customer)


async def _sign_out(posting: Posting) -> Done:
    await repository.end_session(posting.connection, posting.session)
    return Done("/", await open_session(posting.connection))


async def _enter(posting: Posting, customer: UUID) -> Done:
    """Start a session of a customer; what the guest had in this browser, cart and orders, is the customer's now."""
    connection, session = posting.connection, await open_session(posting.connection, customer)
    if posting.visitor.customer is None:
        # Rows of orders before carts, as a declined payment locks them; then once more, since an order may have been
        # placed while this waited for the cart.
        await orders.give_to_customer(connection, posting.session, customer)
        await carts.merge(connection, posting.session, session)
        await orders.give_to_customer(connection, posting.session, customer)
    await repository.end_session(connection, posting.session)
    return Done(AFTERWARDS, session)


ROUTES: list[Any] = [sign_in_form, sign_up_form, sign_in, sign_up, sign_out]
