"""A customer gets a page under the public name from the site that is active now."""

from runbooks.change import RoleChange
from shopsphere.storage.web import PageError, fetch_page

TITLE = "Fetch the shop's page under its public name from the site that is active now"
SECONDS = 30


def check(change: RoleChange) -> str:
    """Say whether the page arrives already: catalogue pages are answered by a replica too."""
    try:
        size = _fetch(change)
    except PageError as error:
        return f"the page does not arrive from {change.target} yet: {error}"
    return f"the page arrives from {change.target} ({size} bytes)"


def act(change: RoleChange) -> None:
    """Nothing: asking is all."""


def verify(change: RoleChange) -> bool:
    """It arrives."""
    return _fetch(change) > 0


def _fetch(change: RoleChange) -> int:
    address = change.declaration().addresses[change.target]
    return fetch_page(address, f"www.{change.topology.domain}", authority=change.public_authority(), seconds=4)
