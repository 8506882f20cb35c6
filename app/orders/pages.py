"""Checkout, receipt and order history."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.exceptions import NotFoundException

from app.cart import repository as carts
from app.orders import repository
from app.orders.model import RESERVATION_SECONDS, History, Order
from app.orders.placing import place
from app.orders.recipient import problems_of
from app.orders.settling import settle_by_id
from app.orders.states import PendingPayment
from app.orders.taxes import taxes_in
from app.payment_methods import is_test_token
from app.web.entries import FRESH, Entries
from app.web.paging import page_of
from app.web.posting import post_once
from app.web.refusals import RefusedError
from app.web.services import Request, services_of
from app.web.visitors import Visitor, visitor_of


@get("/checkout")
async def checkout(request: Request) -> Response[Any]:
    """Show the form for delivery and payment, filled in with where the customer's last order went."""
    services = services_of(request)
    visitor = await visitor_of(request)
    last = None
    if visitor.session is not None:
        last = await repository.latest_recipient(services.commerce, visitor.session, visitor.customer)
    if last is None or problems_of(last, services.settings.region):  # that order may have been made anonymous
        return await _checkout_page(request, FRESH)
    values = {field.name: str(getattr(last, field.name)) for field in fields(last)}
    return await _checkout_page(request, Entries(values | ({"email": visitor.email} if visitor.email else {})))


@post("/checkout")
async def submit(request: Request) -> Response[None]:
    """Place the order, then ask for its payment; a repeated form finds the same order and settles it if need be."""
    services = services_of(request)
    done, response = await post_once(request, place, form_page=_refused_checkout)
    await settle_by_id(services.commerce, services.payments, UUID(done.location.split("/")[2]))
    return response


async def _refused_checkout(request: Request, error: RefusedError) -> Response[Any]:
    return await _checkout_page(request, error.entries, error.status, error.headers)


async def _checkout_page(
    request: Request, form: Entries, status: int = 200, headers: dict[str, str] | None = None
) -> Response[Any]:
    services = services_of(request)
    visitor = await visitor_of(request)
    region = services.settings.region
    cart = await carts.read_cart(services.commerce, visitor.session, region)
    return services.templates.page(
        "checkout.html",
        status=status,
        headers=headers,
        visitor=visitor,
        cart=cart,
        methods=services.settings.payment_methods,
        tests_only=all(is_test_token(token) for token in services.settings.payment_methods),
        countries=region.delivers_to,
        taxes=taxes_in(cart, form.values.get("country") or next(iter(region.delivers_to))),
        form=form,
    )


@get("/orders/{order:uuid}/receipt")
async def receipt(request: Request, order: UUID) -> Response[Any]:
    """Show an order to the one who placed it."""
    services = services_of(request)
    visitor = await visitor_of(request)
    found = await repository.find(services.commerce, order)
    if found is None or not _may_see(visitor, found):
        raise NotFoundException(detail="no such order")
    pending = isinstance(found.state, PendingPayment)
    return services.templates.page(
        "receipt.html",
        visitor=visitor,
        order=found,
        pending=pending,
        reservation_minutes=round(RESERVATION_SECONDS / 60),
    )


@get("/orders")
async def history(request: Request) -> Response[Any]:
    """Show a page of the visitor's orders, newest first."""
    services = services_of(request)
    visitor = await visitor_of(request)
    found = History()
    if visitor.session:
        found = await repository.history(services.commerce, visitor.session, visitor.customer, page_of(request))
    return services.templates.page("orders.html", visitor=visitor, history=found)


def _may_see(visitor: Visitor, order: Order) -> bool:
    if visitor.session is None:
        return False
    return order.session == visitor.session or (visitor.customer is not None and order.customer == visitor.customer)


ROUTES: list[Any] = [checkout, submit, receipt, history]
