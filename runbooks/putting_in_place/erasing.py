"""What the live database had removed after the time of the copy must not come back with it: persons, and sessions.

An erasure that a customer asked for is done again, and so is each removal of a person from an order. A session that is
not in the live database any more was ended: whoever has its cookie must not be let in by it again.
"""

from __future__ import annotations

from dataclasses import dataclass

from runbooks.engine.errors import BlockedError
from runbooks.putting_in_place.contents import is_there
from runbooks.putting_in_place.instance import Instance

SECONDS = 1800.0
_HEAD = "SET LOCAL search_path = pg_catalog; "

# What is to be done again, for each kind: how many are left, and the doing.
_ERASED_COLUMNS = "customer uuid, erased_at timestamptz, orders int"
_ERASED_LEFT = """
SELECT count(*) FROM told WHERE EXISTS (SELECT FROM customers.customer c WHERE c.id = told.customer)
  OR NOT EXISTS (SELECT FROM customers.erasure e WHERE e.customer_id = told.customer)
"""
_ERASE = """
SELECT count(customers.erase_customer(c.id)) FROM told JOIN customers.customer c ON c.id = told.customer;
INSERT INTO customers.erasure (customer_id, erased_at, orders) SELECT customer, erased_at, orders FROM told
ON CONFLICT (customer_id) DO UPDATE SET erased_at = excluded.erased_at, orders = excluded.orders
"""
_PERSONS_LEFT = """
SELECT count(*) FROM told JOIN orders."order" o USING (id)
WHERE o.email <> '' AND NOT (o.state = 'pending_payment' AND o.person_ends)
"""
# An order whose payment is asked for needs what was asked for it: its person goes as it ends.
_REMOVE = """
SELECT orders.remove_person(array_agg(o.id)) FROM orders."order" o JOIN told USING (id)
WHERE o.email <> '' AND o.state <> 'pending_payment';
UPDATE orders."order" o SET person_ends = true FROM told
WHERE o.id = told.id AND o.email <> '' AND o.state = 'pending_payment'
"""
# Sessions that began later are of the database that is live by then, and of no other.
_COUNT, _DELETE = "SELECT count(*) FROM ", "DELETE FROM "
_OF_THEN = "customers.session s WHERE s.created_at <= timestamptz '{to}'"
_ENDED = f"{_OF_THEN} AND NOT EXISTS (SELECT FROM told WHERE told.id = s.id)"


@dataclass(frozen=True)
class Removal:
    """One kind of what is removed again.

    Attributes:
        what: in words.
        table: of the live database that says it.
        rows: statement that selects them there.
        columns: of these rows.
        left: counts what is still to be removed, beside these rows.
        again: removes it.
        without: how many are left, and how it is done, where the live database does not have the table.
    """

    what: str
    table: str
    rows: str
    columns: str
    left: str
    again: str
    without: tuple[str, str] | None = None


ERASURES = Removal(
    "persons who were erased",
    "customers.erasure",
    "SELECT customer_id, erased_at, orders FROM customers.erasure",
    _ERASED_COLUMNS,
    _ERASED_LEFT,
    _ERASE,
)
PERSONS = Removal(
    "orders without a person",
    'orders."order"',
    "SELECT id FROM orders.\"order\" WHERE email = ''",
    "id uuid",
    _PERSONS_LEFT,
    _REMOVE,
)
SESSIONS = Removal(
    "sessions that were ended",
    "customers.session",
    "SELECT id FROM customers.session",
    "id uuid",
    _COUNT + _ENDED,
    _DELETE + _ENDED,
    (_COUNT + _OF_THEN, _DELETE + _OF_THEN),
)
REMOVALS = (ERASURES, PERSONS, SESSIONS)


def left(leading: Instance, live: str, new: str, to: str) -> dict[str, int | None]:
    """Return how much of each kind is still to be removed from a database; None where nobody knows it any more.

    Args:
        leading: instance of both databases.
        live: the one that is, or was, live, and says what is to go.
        new: the one that it is to go from.
        to: the time that this one is of, as SQL reads it.

    Raises:
        ClusterError: the instance does not answer.
    """
    return {each.what: _left(leading, live, new, each, to) for each in REMOVALS}


def require_known(leading: Instance, live: str, *, accepted: bool) -> None:
    """Refuse where the live database does not say any more who was erased, unless an operator has accepted that.

    Raises:
        BlockedError: it does not say it.
    """
    # Persons of orders that were delivered, or grew old, go again by themselves.
    if not accepted and not is_there(leading.asker(live), ERASURES.table):
        raise BlockedError.because(
            f"{live} has no table {ERASURES.table}: who was erased after the time of the copy is not known",
            action="take the second before that table went, so that next to nobody was; then say --erasures-unknown",
        )


def require_none_left(leading: Instance, live: str, new: str, to: str) -> None:
    """Refuse to go on while something is left to be removed. Arguments as of `left`.

    Raises:
        BlockedError: something is.
        ClusterError: the instance does not answer.
    """
    found = {what: number for what, number in left(leading, live, new, to).items() if number}
    if found:
        raise BlockedError.because(
            f"{new} still has what {live} has not: {', '.join(f'{number} {what}' for what, number in found.items())}",
            action="call the same command again: it removes them",
        )


def remove_again(leading: Instance, live: str, new: str, to: str) -> None:
    """Remove from a database what another one had removed; all of a kind, or nothing of it. Arguments as of `left`.

    Raises:
        ClusterError: the instance does not answer, or refuses.
    """
    for each in REMOVALS:
        if is_there(leading.asker(live), each.table):
            statements = _HEAD + each.again.replace("{to}", to)
            leading.carry(live, each.rows, new, each.columns, statements, seconds=SECONDS)
        elif each.without:
            leading.run(new, each.without[1].replace("{to}", to), seconds=SECONDS)


def _left(leading: Instance, live: str, new: str, removal: Removal, to: str) -> int | None:
    if is_there(leading.asker(live), removal.table):
        statements = _HEAD + removal.left.replace("{to}", to)
        return int(leading.carry(live, removal.rows, new, removal.columns, statements, seconds=SECONDS).split()[-1])
    if removal.without:
        return int(leading.ask(new, removal.without[0].replace("{to}", to), seconds=SECONDS))
    return None
