"""Puts the storefront together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.datastructures import State

from app.cart.pages import ROUTES as CART_ROUTES
from app.catalogue.pages import ROUTES as CATALOGUE_ROUTES
from app.catalogue.shelves import Shelves
from app.customers.account_pages import ROUTES as ACCOUNT_ROUTES
from app.customers.entrance import Entrance
from app.customers.pages import ROUTES as CUSTOMER_ROUTES
from app.database import Database
from app.database.readiness import Readiness
from app.legal.pages import ROUTES as LEGAL_ROUTES
from app.legal.shelf import LegalPages
from app.loops import Loop, running
from app.media.render import render_if_missing
from app.orders.pages import ROUTES as ORDER_ROUTES
from app.orders.payments_client import PaymentsClient
from app.orders.reconciling import OrderReconciler
from app.orders.settling import settling_loops
from app.orders.statements_client import StatementsClient
from app.orders.watching import ROUTES as METRICS_ROUTES
from app.recommendations.asking import Recommender
from app.recommendations.recently import RecentlyViewed
from app.sealed_calls import Seals
from app.settings import StorefrontSettings
from app.web.assets import Assets, asset_routes
from app.web.compression import Compressed
from app.web.cookies import SessionCookie
from app.web.discovery import ROUTES as DISCOVERY_ROUTES
from app.web.health import health_routes
from app.web.origin import refuse_foreign_posts
from app.web.outermost import Outermost, page_headers
from app.web.pictures import ROUTES as PICTURE_ROUTES
from app.web.refusals import HANDLERS, pages_before_reading
from app.web.remembering import sender_of_remembered
from app.web.renewals import EVERY_SECONDS, Renewals
from app.web.requests import LARGEST_FORM, Request
from app.web.retention import EVERY_SECONDS as RETENTION_SECONDS
from app.web.retention import Removal
from app.web.services import Services
from app.web.templating import Templates
from app.web.visitors import send_renewed_cookie

COMPARISON_SECONDS = 1800.0
"""Longest time of one comparison of orders with payments (s)."""
READY = "SELECT 1 FROM catalogue.seed LIMIT 1"


def storefront(settings: StorefrontSettings) -> Outermost:
    """Return the storefront as an ASGI application."""
    render_if_missing(settings.rendered)
    keeps = settings.region.retention
    https = settings.public_url.startswith("https:")
    assets, shelves = Assets(settings.rendered, settings.static_url), Shelves()
    legal = LegalPages(settings.region.legal_texts)
    dsn, other = settings.commerce_dsn, settings.other_commerce_dsn
    commerce = Database(dsn, role="shop_app", application="shop", size=settings.pool_size, other_dsn=other)
    entrance = Entrance.make(settings.session_secret)
    readiness = Readiness(dsn, role="shop_app", application="shop readiness", question=READY, other_dsn=other)
    seals = Seals(settings.call_key, settings.other_call_key)
    cookie = SessionCookie(
        settings.session_secret, keeps.session_days, secure=https, other=settings.other_session_secret
    )
    services = Services(
        settings=settings,
        commerce=commerce,
        payments=PaymentsClient(settings.payments_url, settings.payments_timeout_seconds, seals),
        assets=assets,
        templates=Templates(settings, assets, {"shelves": shelves, "legal": legal, "seller": settings.region.seller}),
        cookie=cookie,
        shelves=shelves,
        legal=legal,
        renewals=Renewals(commerce, keeps.session_days),
        recommender=Recommender.at(settings.recommender_url) if settings.recommender_url else None,
        recently=_recently(settings, secure=https),
    )

    statements = StatementsClient(settings.payments_url, settings.payments_timeout_seconds, seals)
    reconciler = OrderReconciler(commerce, statements)
    loops = [
        *settling_loops(services.commerce, services.payments),
        Loop(
            "order reconciler",
            lambda: reconciler.when_due(settings.reconcile_every_seconds),
            min(settings.reconcile_every_seconds, 60),
            COMPARISON_SECONDS,
        ),
        Loop("renewals", services.renewals.write_noted, EVERY_SECONDS),
        Loop("retention", Removal(commerce, keeps).turn, RETENTION_SECONDS),
    ]

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        try:
            async with running(loops):
                yield
        finally:
            entrance.hashing.close()
            await services.payments.close()
            await statements.close()
            if services.recommender is not None:
                await services.recommender.close()
            await readiness.close()
            await services.commerce.close()

    application = Litestar(
        route_handlers=[
            *CATALOGUE_ROUTES,
            *CART_ROUTES,
            *ORDER_ROUTES,
            *METRICS_ROUTES,
            *CUSTOMER_ROUTES,
            *ACCOUNT_ROUTES,
            *asset_routes(assets),
            *PICTURE_ROUTES,
            *LEGAL_ROUTES,
            *DISCOVERY_ROUTES,
            *health_routes(readiness.ask, settings.listen.site, loops),
        ],
        state=State({"services": services, "entrance": entrance}),
        before_request=refuse_foreign_posts,
        exception_handlers=HANDLERS,
        lifespan=[lifespan],
        openapi_config=None,
        request_class=Request,
        before_send=[send_renewed_cookie, *sender_of_remembered(services.recently)],
        request_max_body_size=LARGEST_FORM,
        logging_config=None,
    )
    headers = page_headers(settings.static_url, https=https)
    return Outermost(Compressed(application), headers, pages_before_reading(services.templates))


def _recently(settings: StorefrontSettings, *, secure: bool) -> RecentlyViewed | None:
    """Return what signs the cookie with a visitor's products; nothing where nobody is asked for a yes to it."""
    if not settings.recommender_url or not settings.counts_clicks:
        return None
    secret, other = settings.session_secret, settings.other_session_secret
    return RecentlyViewed(secret, settings.region.pair, secure=secure, other=other)
