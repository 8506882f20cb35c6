"""Who looks at a page: the session, the customer's name if signed in, how many things are in the cart.

A session lives on by use. A new one is kept for a short time only, until its cookie has come back once: what a program
without cookies leaves behind goes soon. Each further day of use gives it its full time again, and the cookie with it.
Both times are the region's (Retention).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from litestar.datastructures.headers import MutableScopeHeaders
from litestar.types import Message, Scope

from app.database import Connection, Queries
from app.region import Retention
from app.web.services import Request, services_of

RENEWED = "renewed-session-cookie"
RENEWED_EVERY_DAYS = 1
_VISITOR = """
SELECT s.id, s.customer_id, c.name, c.email,
    (SELECT coalesce(sum(l.quantity), 0) FROM carts.line l JOIN carts.cart k ON k.id = l.cart_id
     WHERE k.customer_id = s.customer_id OR (s.customer_id IS NULL AND k.session_id = s.id))::int AS pieces,
    s.expires_at < now() + make_interval(days => $2) AS ages
FROM customers.session s LEFT JOIN customers.customer c ON c.id = s.customer_id
WHERE s.id = $1 AND s.expires_at > now()
"""
_OPEN = """
INSERT INTO customers.session (id, customer_id, expires_at) VALUES ($1, $2, now() + make_interval(days => $3))
ON CONFLICT (id) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person with a browser, known by session only unless signed in."""

    session: UUID | None = None
    customer: UUID | None = None
    name: str = ""
    email: str = ""
    pieces: int = 0
    ages: bool = False  # used again after a day or more: time to renew it


STRANGER = Visitor()


async def visitor_of(request: Request) -> Visitor:
    """Return who sent a request; without a cookie that costs no query."""
    services = services_of(request)
    session = services.cookie.read(request.cookies)
    if session is None:
        return STRANGER
    visitor = await find_visitor(services.commerce, session, services.settings.region.retention)
    if visitor.session is not None and visitor.ages:
        services.renewals.note(visitor.session)
        request.state[RENEWED] = services.cookie.write(visitor.session)
    return visitor


def send_renewed_cookie(message: Message, scope: Scope) -> None:
    """Add the cookie of a session that this request has renewed to its answer."""
    cookie = scope["state"].get(RENEWED)
    if cookie is not None and message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        if "set-cookie" not in headers:  # the handler may have given another session
            headers.add("set-cookie", cookie.to_header(header=""))


async def find_visitor(queries: Queries, session: UUID, retention: Retention) -> Visitor:
    """Return the visitor of a session, or a stranger when it has ended."""
    row = await queries.fetchrow(_VISITOR, session, retention.session_days - RENEWED_EVERY_DAYS)
    if row is None:
        return STRANGER
    return Visitor(row["id"], row["customer_id"], row["name"] or "", row["email"] or "", row["pieces"], row["ages"])


async def open_session(connection: Connection, retention: Retention, customer: UUID | None = None) -> UUID:
    """Start a session with an id nobody has seen, and return the id."""
    session = uuid4()
    await connection.execute(_OPEN, session, customer, retention.unused_session_days)
    return session
