"""Reads and writes customers and their sessions."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from app.database import Connection, Queries


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who has an address, and what their password hashes to."""

    customer: UUID
    password_hash: str


def small_letters(email: str) -> str:
    """Return an address with small letters beyond ASCII: in the locale C, a database knows no capitals of those."""
    return "".join(letter if letter.isascii() else letter.lower() for letter in email)


async def credentials_of(queries: Queries, email: str) -> Credentials | None:
    """Return a customer's credentials by e-mail address, in any case of letters."""
    row = await queries.fetchrow(
        "SELECT id, password_hash FROM customers.customer WHERE lower(email) IN (lower($1), lower($2)) "
        "ORDER BY lower(email) = lower($1) DESC LIMIT 1",  # first as it was typed: so it is stored of earlier customers
        email,
        small_letters(email),
    )
    return None if row is None else Credentials(row["id"], row["password_hash"])


async def hash_of(queries: Queries, customer: UUID) -> str | None:
    """Return what a customer's password hashes to; None if there is no such customer any more."""
    found: str | None = await queries.fetchval("SELECT password_hash FROM customers.customer WHERE id = $1", customer)
    return found


async def insert(connection: Connection, email: str, name: str, password_hash: str) -> UUID | None:
    """Write a customer and return the id; None if the address is taken."""
    identity = uuid4()
    inserted = await connection.fetchval(
        "INSERT INTO customers.customer (id, email, name, password_hash) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (lower(email)) DO NOTHING RETURNING id",
        identity,
        small_letters(email),
        name,
        password_hash,
    )
    return None if inserted is None else identity


async def end_session(connection: Connection, session: UUID) -> None:
    """End a session now; its row stays for the carts and stored results that name it."""
    await connection.execute("UPDATE customers.session SET expires_at = now() WHERE id = $1", session)


async def forget_session(connection: Connection, session: UUID) -> None:
    """Remove a session that nothing names."""
    await connection.execute("DELETE FROM customers.session WHERE id = $1", session)
