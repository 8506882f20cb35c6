"""A customer gets a page under the public name from the site that is active now, and may send a form."""

from runbooks.change import RoleChange
from shopsphere.clients.web import Door, PageError, takes_forms

TITLE = "Fetch a page and send a form under the shop's public name at the site that is active now"
SECONDS = 30
_ANSWER_SECONDS = 4


def check(change: RoleChange) -> str:
    """Say what happens already: catalogue pages are answered by a replica too."""
    try:
        door = _door(change)
        size, open_already = door.page(), takes_forms(door)
    except PageError as error:
        return f"nothing arrives from {change.target} yet: {error}"
    return f"a page arrives from {change.target} ({size} bytes), forms are {'' if open_already else 'not yet '}taken"


def verify(change: RoleChange) -> bool:
    """Both go well."""
    door = _door(change)
    return door.page() > 0 and takes_forms(door)


def _door(change: RoleChange) -> Door:
    return change.access.door(change.access.declaration().addresses[change.target], seconds=_ANSWER_SECONDS)
