"""The account's pages: what is kept about a customer, a copy of all of it, and its erasure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.exceptions import NotAuthorizedException

from app.customers import own_data
from app.customers.entrance import confirm, entrance_of, too_many
from app.web.clients import client_network
from app.web.entries import FRESH, Entries
from app.web.leading import PERSONAL, redirect
from app.web.posting import Done, Posting, fields_of, form_comes_back, post_once
from app.web.refusals import RefusedError
from app.web.services import Request, services_of
from app.web.visitors import Visitor, visitor_of

ACCOUNT, DATA, ERASE, ERASED, SIGN_IN = (
    "/account", "/account/my-data.json", "/account/erase", "/account/erased", "/account/sign-in",
)  # fmt: skip


@get(ACCOUNT)
async def account(request: Request) -> Response[Any]:
    """Show whose account it is, and what a customer can do with it."""
    services, visitor = services_of(request), await visitor_of(request)
    found = None
    if visitor.customer is not None:
        found = await own_data.account_of(services.commerce, visitor.customer)
    if found is None:
        return redirect(SIGN_IN)
    return services.templates.page("account.html", visitor=visitor, account=found, data=DATA, erase=ERASE)


@get(DATA)
async def export(request: Request) -> Response[Any]:
    """Give a customer everything that is kept about them, as a file.

    Raises:
        RefusedError: they asked too often (429).
    """
    services, visitor = services_of(request), await visitor_of(request)
    if visitor.session is None or visitor.customer is None:
        return redirect(SIGN_IN)
    entrance = entrance_of(request)
    wait = entrance.exports.take(str(visitor.customer))
    if wait > 0:
        _note(request, "export", "customer waits", visitor.customer)
        raise too_many(wait)
    async with entrance.exporting:
        kept = await own_data.export_own(services.commerce, visitor.session, services.settings.session_secret)
        if kept is None:
            return redirect(SIGN_IN)
        now = datetime.now(UTC)
        region = services.settings.region
        file = {"exported_at": now, "region": region.title, **kept, "kept_for": msgspec.to_builtins(region.retention)}
        text = msgspec.json.format(msgspec.json.encode(file), indent=2)
    _note(request, "export", "given", visitor.customer)
    named = {"content-disposition": f'attachment; filename="shopsphere-my-data-{now:%Y-%m-%d}.json"'}
    return Response(text, media_type="application/json", headers=PERSONAL | named)


@get(ERASE)
async def erase_form(request: Request) -> Response[Any]:
    """Say what goes and what stays, and ask whether it is meant."""
    if (await visitor_of(request)).customer is None:
        return redirect(SIGN_IN)
    return await _erase_page(request, FRESH)


@post(ERASE)
async def erase(request: Request) -> Response[None]:
    """Erase the account; limits and the hash come before the transaction. A form that is sent again finds it done."""
    visitor = await visitor_of(request)
    erased: list[UUID] = []

    async def action(posting: Posting) -> Done:
        done = None
        if visitor.customer is not None and posting.visitor.customer == visitor.customer:
            done = await own_data.erase_own(posting.connection, posting.session)
        if done is None:
            raise RefusedError(401, "You are not signed in", "Sign in, then erase your account.")
        erased[:] = [UUID(done["customer"])]
        return Done(ERASED, None)

    async with form_comes_back(request, None if visitor.customer is None else _refused_erasure):
        if visitor.customer is not None:  # who is not signed in finds what this form has led to, or is refused
            await _require_meant(request, visitor, visitor.customer)
        response = (await post_once(request, action))[1]
    for customer in erased:
        _note(request, "erasure", "erased", customer)
    return response


@get(ERASED)
async def erased_page(request: Request) -> Response[Any]:
    """Say that it is done."""
    services, visitor = services_of(request), await visitor_of(request)
    return redirect(ACCOUNT) if visitor.customer else services.templates.page("erased.html", visitor=visitor)


async def _require_meant(request: Request, visitor: Visitor, customer: UUID) -> None:
    fields = await fields_of(request)
    problems = {}
    if not fields.get("password"):
        problems["password"] = "Enter the password of your account."  # noqa: S105 what to tell a customer
    if fields.get("confirmed") != "yes":
        problems["confirmed"] = "Tick this box if you want your account erased."
    if problems:
        raise RefusedError.of_fields(problems)
    await confirm(request, "erasure", customer, visitor.email, fields["password"])


async def _refused_erasure(request: Request, error: RefusedError) -> Response[Any]:
    return await _erase_page(request, error.entries, error.status, error.headers)


async def _erase_page(
    request: Request, form: Entries, status: int = 200, headers: dict[str, str] | None = None
) -> Response[Any]:
    services, visitor = services_of(request), await visitor_of(request)
    if visitor.customer is None:
        raise NotAuthorizedException  # ended in another window; the refusal gets a page of its own
    under_way = await own_data.orders_under_way(services.commerce, visitor.customer)
    return services.templates.page(
        "erase.html", status=status, headers=headers, visitor=visitor, form=form, under_way=under_way, erase=ERASE,
        data=DATA,
    )  # fmt: skip


def _note(request: Request, event: str, outcome: str, customer: UUID) -> None:
    entrance_of(request).log.note(event, outcome, network=client_network(request), customer=customer)


ROUTES: list[Any] = [account, export, erase_form, erase, erased_page]
