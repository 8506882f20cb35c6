"""Steps that each stage of a rotation repeats: both stacks hold it, then one site after the other runs with it."""

from __future__ import annotations

from collections.abc import Callable

from runbooks.rotation.renewal_run import Renewal
from shopsphere.estate.renewal import Stage

PASSIVE, ACTIVE = 0, 1
"""Places in `Rotation.sites`."""
SITE_SECONDS = 900
"""Bound of a turn (s): a preview, a deployment and a rollout."""


Functions = tuple[Callable[[Renewal], str], Callable[[Renewal], None], Callable[[Renewal], bool]]
"""`check`, `act` and `verify` of a step."""


def stacks_turn(stage: Stage, becomes: str) -> Functions:
    """Return the functions of the step after which both stacks hold a later stage.

    Args:
        stage: which.
        becomes: what becomes of the secrets, for whoever reads the dry run.
    """

    def check(renewal: Renewal) -> str:
        """Say which."""
        return f"{', '.join(renewal.kind.names)}: {becomes}"

    def act(renewal: Renewal) -> None:
        """Write it into both stacks."""
        renewal.advance(stage)

    def verify(renewal: Renewal) -> bool:
        """Both stacks say so, or are further."""
        return renewal.stacks_hold(stage)

    return check, act, verify


def site_turn(place: int, stage: Stage | None = None) -> Functions:
    """Return the functions of the step that brings a stage to a site.

    Args:
        place: of the site in `Rotation.sites`.
        stage: which; None for the one that a kind begins with.
    """

    def site_of(renewal: Renewal) -> str:
        return renewal.rotation.sites[place]

    def stage_of(renewal: Renewal) -> Stage:
        return renewal.first if stage is None else stage

    def check(renewal: Renewal) -> str:
        """Say which site; refuse while somebody moves the pair."""
        renewal.rotation.require_steady()
        return f"{site_of(renewal)}: secrets, then its pods one after the other; nothing else may change"

    def act(renewal: Renewal) -> None:
        """Deploy it."""
        renewal.bring(stage_of(renewal), site_of(renewal))

    def verify(renewal: Renewal) -> bool:
        """The site has them, and its pods run with them."""
        return renewal.is_brought(stage_of(renewal), site_of(renewal))

    return check, act, verify
