"""Whether the other site is kept from writing while the witness is lost: it keeps to a permit, or it is off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbooks.change import MOVE, RoleChange
from shopsphere.clients.cluster_errors import NoAccessError, RefusedError
from shopsphere.foundation.errors import NoAnswerError, one_line


def silence_of_source(change: RoleChange) -> str:
    """Return why nothing is heard of the other site's API; empty when it answers, be it with a refusal.

    That this machine does not know the way there is no silence, unless the operator says that the site is off.

    Raises:
        NoAccessError: no usable kubeconfig leads there.
        AccessError: the configuration of its stack cannot be read.
    """
    try:
        change.access.cluster(change.source).get("/version")
    except RefusedError:
        return ""
    except NoAnswerError as error:
        return one_line(error)
    except NoAccessError as error:
        if change.site_is_off != change.source:
            raise
        return one_line(error)
    return ""


def source_is_barred(change: RoleChange) -> bool:
    """Whether the other site's agent keeps to this change; of a site that does not answer, what the operator says.

    Raises:
        ShopSphereError: its agent does not answer, though it was told before.
    """
    if change.recall("barred"):
        state = change.access.agent_state(change.source)
        return not state["writes"] and knows_of(change, state)
    return silence_of_source(change) != "" and (change.variant != MOVE or change.site_is_off == change.source)


def knows_of(change: RoleChange, state: Mapping[str, Any]) -> bool:
    """Whether an agent keeps to the permit of this change, or the witness is back and has begun its epoch."""
    known = [state.get(name) or {} for name in ("permit", "record")]
    return (change.epoch + 1, change.target) in [(each.get("epoch"), each.get("active")) for each in known]
