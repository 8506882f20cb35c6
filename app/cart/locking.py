"""One writer for each cart: who adds, changes, orders or merges it waits for the one before."""

from __future__ import annotations

from uuid import UUID

from app.cart import repository
from app.web.posting import Posting
from app.web.refusals import RefusedError


async def locked_cart(posting: Posting) -> UUID:
    """Return the cart of a posting's session, made if there is none and locked until the end of the transaction.

    Raises:
        RefusedError: the session ended while this waited: a sign-in or sign-out in another window came first.
    """
    cart = await repository.lock(posting.connection, posting.session)
    if not await repository.is_open(posting.connection, posting.session):
        raise RefusedError(
            409, "You have just signed in or out in another window", "Have a look at your cart, then send this again."
        )
    return cart
