"""What request handlers work with; made once per process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import litestar

from app.catalogue.shelves import Shelves
from app.database import Database
from app.legal.shelf import LegalPages
from app.orders.payments_client import PaymentsClient
from app.recommendations.asking import Recommender
from app.recommendations.recently import RecentlyViewed
from app.settings import StorefrontSettings
from app.web.assets import Assets
from app.web.cookies import SessionCookie
from app.web.renewals import Renewals
from app.web.requests import Request
from app.web.templating import Templates

__all__ = ["Request", "Services", "services_of"]


@dataclass(frozen=True, slots=True)
class Services:
    """The storefront's collaborators."""

    settings: StorefrontSettings
    commerce: Database
    payments: PaymentsClient
    assets: Assets
    templates: Templates
    cookie: SessionCookie
    shelves: Shelves
    legal: LegalPages
    renewals: Renewals
    recommender: Recommender | None
    recently: RecentlyViewed | None


def services_of(request: litestar.Request[Any, Any, Any]) -> Services:
    """Return the services that the application was built with."""
    return cast(Services, request.app.state["services"])
