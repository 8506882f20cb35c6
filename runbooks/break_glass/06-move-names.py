"""Every name that leads to the pair's writer shows the new epoch, whether the writer is another site or the same."""

from runbooks.change import RoleChange
from runbooks.moving_names import lead_names_to_target, names_lead_to_target, where_names_would_lead

TITLE = "Lead the pair's names to the permitted site at every DNS authority"
SECONDS = 20


def check(change: RoleChange) -> str:
    """Say where the names would lead, and for how long resolvers may still give an old address."""
    return where_names_would_lead(change)


def act(change: RoleChange) -> None:
    """Write it at each authority."""
    lead_names_to_target(change)


def verify(change: RoleChange) -> bool:
    """Every authority that answers shows the state, and at least one does."""
    return names_lead_to_target(change)
