"""The simulated provider's HTTP interface."""

from __future__ import annotations

from typing import Annotated, Any, cast

import litestar
import msgspec
from litestar import Litestar, Response, get, post, put
from litestar.datastructures import State

from app.psp.faults import Faults, Trouble
from app.psp.store import Charge, KeyReusedError, Store, Wanted
from app.settings import PspSettings
from app.web.health import health_routes
from app.web.outermost import Outermost

Request = litestar.Request[Any, Any, State]
SHORTEST_KEY = 16


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
    try:
        made = _store(request).charge(
            key, Wanted(wanted.reference, wanted.amount_minor, wanted.currency, wanted.token), capture=wanted.capture
        )
    except KeyReusedError:
        return _problem(422, "this Idempotency-Key was used for another request")
    await trouble.before_charge_answer()
    return Response(made.public(), status_code=201)


@post("/v1/charges/{identity:str}/capture")
async def capture(request: Request, identity: str) -> Response[Any]:
    """Capture an authorised charge; capturing it again changes nothing."""
    return _found(_store(request).capture(identity))


@get("/v1/charges/by-key/{key:str}")
async def by_key(request: Request, key: str) -> Response[Any]:
    """Say what became of an idempotency key."""
    found = _store(request).by_key(key)
    await _trouble(request).before_lookup_answer()
    return _found(found)


@get("/v1/settlements/{day:str}")
async def settlement(request: Request, day: str) -> Response[Any]:
    """List what was captured on a day (YYYY-MM-DD, UTC), to be compared with the ledger."""
    return Response({"day": day, "lines": _store(request).settlement(day)})


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


def _found(found: Charge | None) -> Response[Any]:
    return _problem(404, "no such charge") if found is None else Response(found.public(), status_code=200)


def _problem(status: int, detail: str) -> Response[Any]:
    return Response({"status": status, "detail": detail}, status_code=status)


def _store(request: Request) -> Store:
    return cast(Store, request.app.state["store"])


def _trouble(request: Request) -> Trouble:
    return cast(Trouble, request.app.state["trouble"])


async def _always_ready() -> None:
    """The books are a local file: a running simulator is a ready one."""


def psp(settings: PspSettings) -> Outermost:
    """Return the simulated provider as an ASGI application."""
    application = Litestar(
        route_handlers=[
            charge,
            capture,
            by_key,
            settlement,
            show_faults,
            set_faults,
            *health_routes(_always_ready, settings.listen.site),
        ],
        state=State({"store": Store(settings.state_file), "trouble": Trouble(Faults())}),
        openapi_config=None,
        request_max_body_size=16 * 1024,
        logging_config=None,
    )
    return Outermost(application, {"cache-control": "no-store"})
