"""The simulated provider's HTTP interface.

Everything is there twice: for an account with a name below `/accounts/NAME`, and below `/` for one that has none. The
faults to play are those of the whole provider.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, cast

import litestar
import msgspec
from litestar import Litestar, Response, Router, get, post, put
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import NotAuthorizedException, NotFoundException
from litestar.handlers import BaseRouteHandler

from app.psp.books import Books, NoAccountError
from app.psp.faults import Faults, Trouble
from app.psp.settings import PspSettings
from app.psp.store import Charge, KeyReusedError, Store, Wanted
from app.web.health import health_routes
from app.web.outermost import Outermost

Request = litestar.Request[Any, Any, State]
SHORTEST_KEY = 16
ACCOUNTS = ("/", "/accounts/{account:str}")


class ChargeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request to charge a card, by its token."""

    amount_minor: Annotated[int, msgspec.Meta(gt=0)]
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    token: Annotated[str, msgspec.Meta(pattern="^tok_[a-z0-9_]{1,60}$")]
    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    capture: bool = True


@post("/v1/charges")
async def charge(request: Request) -> Response[Any]:
    """Charge a card: 201 whether it was captured, authorised or declined."""
    trouble = _trouble(request)
    if trouble.is_refused():
        return _problem(503, "simulated refusal")
    key = request.headers.get("idempotency-key", "")
    if len(key) < SHORTEST_KEY:
        return _problem(422, f"expected an Idempotency-Key of {SHORTEST_KEY} characters or more")
    try:
        wanted = msgspec.json.decode(await request.body(), type=ChargeRequest)
    except msgspec.DecodeError as error:
        return _problem(422, str(error))
    asked = Wanted(wanted.reference, wanted.amount_minor, wanted.currency, wanted.token)
    try:
        made = _charge(_store(request), key, asked, trouble, capture=wanted.capture)
    except KeyReusedError:
        return _problem(422, "this Idempotency-Key was used for another request")
    await trouble.before_charge_answer()
    return _answer(made, 201, trouble.wrong_body("wrong_answers"))


def _charge(store: Store, key: str, asked: Wanted, trouble: Trouble, *, capture: bool) -> Charge:
    """Charge as asked for, or as wrongly as is to be played; what is played is noted with it.

    Raises:
        KeyReusedError: the key was used for another request.
    """
    with store.at_once():
        is_new = store.by_key(key) is None
        made = store.charge(
            key,
            asked,
            capture=capture and not (is_new and trouble.take("authorise_only")),
            taken=_taken(store, key, asked, trouble) if is_new and asked.moves_money else None,
        )
        if is_new and made.status == "captured" and trouble.take("double"):
            store.double(made)
            store.note_played("doubled", key)
    return made


def _taken(store: Store, key: str, asked: Wanted, trouble: Trouble) -> Wanted | None:
    """Return what is charged in place of what was asked for, when that is the fault to play."""
    if asked.amount_minor > 1 and trouble.take("other_amount"):
        store.note_played("amount", key)
        return replace(asked, amount_minor=asked.amount_minor - 1)
    if trouble.take("other_currency"):
        store.note_played("currency", key)
        return replace(asked, currency="CHF" if asked.currency != "CHF" else "EUR")
    return None


@post("/v1/charges/{identity:str}/capture")
async def capture(request: Request, identity: str) -> Response[Any]:
    """Capture an authorised charge; capturing it again changes nothing."""
    return _found(_store(request).capture(identity))


@post("/v1/charges/{identity:str}/refund")
async def refund(request: Request, identity: str) -> Response[Any]:
    """Give back a captured charge; doing it again changes nothing."""
    found = _store(request).refund(identity)
    await _trouble(request).before_refund_answer()
    return _found(found)


@post("/v1/charges/{identity:str}/void")
async def void(request: Request, identity: str) -> Response[Any]:
    """Release an authorised charge; doing it again changes nothing."""
    return _found(_store(request).void(identity))


@get("/v1/charges/by-key/{key:str}")
async def by_key(request: Request, key: str) -> Response[Any]:
    """Say what became of an idempotency key."""
    found = _store(request).by_key(key)
    trouble = _trouble(request)
    await trouble.before_lookup_answer()
    body = trouble.wrong_body("wrong_lookups")
    return _problem(404, "no such charge") if found is None and body is None else _answer(found, 200, body)


@get("/v1/settlements/{day:str}")
async def settlement(request: Request, day: str, after: str = "") -> Response[Any]:
    """List what was captured on a day (YYYY-MM-DD, UTC), a page at a time, to be compared with the ledger."""
    lines, following = _store(request).settlement(day, after)
    return Response({"day": day, "lines": lines, "next": following})


class Correction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a charge should have been."""

    amount_minor: Annotated[int, msgspec.Meta(gt=0)]
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


@put("/admin/charges/{identity:str}")
async def correct(request: Request, identity: str) -> Response[Any]:
    """Put a wrong charge right, as a provider's people do when they are called."""
    try:
        right = msgspec.json.decode(await request.body(), type=Correction)
    except msgspec.DecodeError as error:
        return _problem(422, str(error))
    return _found(_store(request).correct(identity, right.amount_minor, right.currency))


@get("/admin/faults")
async def show_faults(request: Request) -> Response[Any]:
    """Show which faults are still to come."""
    return Response(msgspec.to_builtins(_trouble(request).faults))


@put("/admin/faults")
async def set_faults(request: Request) -> Response[Any]:
    """Set which faults are to come."""
    try:
        _trouble(request).faults = msgspec.json.decode(await request.body(), type=Faults)
    except msgspec.DecodeError as error:
        return _problem(422, str(error))
    return Response(msgspec.to_builtins(_trouble(request).faults))


def _answer(found: Charge | None, status: int, wrong: bytes | None) -> Response[Any]:
    if wrong is not None:
        return Response(wrong, status_code=status, media_type="application/json")
    return Response(None if found is None else found.public(), status_code=status)


def _found(found: Charge | None) -> Response[Any]:
    return _problem(404, "no such charge") if found is None else Response(found.public(), status_code=200)


def _problem(status: int, detail: str) -> Response[Any]:
    return Response({"status": status, "detail": detail}, status_code=status)


def _store(request: Request) -> Store:
    try:
        return cast(Books, request.app.state["books"]).of(str(request.path_params.get("account", "")))
    except NoAccountError:
        raise NotFoundException(detail="no such account") from None


def _trouble(request: Request) -> Trouble:
    return cast(Trouble, request.app.state["trouble"])


Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]


def _bearer(token: str, *, required: bool) -> Guard:
    """Return a guard that lets only those in who have the token; where there is none, everybody or nobody."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        given = connection.headers.get("authorization", "")
        if (token or required) and not (token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())):
            raise NotAuthorizedException(detail="expected the token of this provider")

    return guard


async def _always_ready() -> None:
    """The books are a local file: a running simulator is a ready one."""


def psp(settings: PspSettings) -> Outermost:
    """Return the simulated provider as an ASGI application."""
    callers, people = _bearer(settings.api_key, required=False), _bearer(settings.admin_token, required=True)
    handlers = [charge, capture, refund, void, by_key, settlement]
    application = Litestar(
        route_handlers=[
            *(Router(path, route_handlers=handlers, guards=[callers]) for path in ACCOUNTS),
            *(Router(path, route_handlers=[correct], guards=[people]) for path in ACCOUNTS),
            Router("/", route_handlers=[show_faults, set_faults], guards=[people]),
            *health_routes(_always_ready, settings.listen.site),
        ],
        state=State({"books": Books(settings.state_file), "trouble": Trouble(Faults())}),
        openapi_config=None,
        request_max_body_size=16 * 1024,
        logging_config=None,
    )
    return Outermost(application, {"cache-control": "no-store"})
