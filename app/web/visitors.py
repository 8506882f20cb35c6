"""Who looks at a page: the session, the customer's name if signed in, how many things are in the cart."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from app.database import Connection, Queries
from app.web.cookies import SESSION_DAYS
from app.web.services import Request, services_of

_VISITOR = """
SELECT s.id, s.customer_id, c.name, c.email,
    (SELECT coalesce(sum(quantity), 0) FROM carts.line WHERE session_id = s.id)::int AS pieces
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


STRANGER = Visitor()


async def visitor_of(request: Request) -> Visitor:
    """Return who sent a request; without a cookie that costs no query."""
    services = services_of(request)
    session = services.cookie.read(request.cookies)
    return STRANGER if session is None else await find_visitor(services.commerce, session)


async def find_visitor(queries: Queries, session: UUID) -> Visitor:
    """Return the visitor of a session, or a stranger when it has ended."""
    row = await queries.fetchrow(_VISITOR, session)
    if row is None:
        return STRANGER
    return Visitor(row["id"], row["customer_id"], row["name"] or "", row["email"] or "", row["pieces"])


async def open_session(connection: Connection, customer: UUID | None = None) -> UUID:
    """Start a session with an id nobody has seen, and return the id."""
    session = uuid4()
    await connection.execute(_OPEN, session, customer, SESSION_DAYS)
    return session
