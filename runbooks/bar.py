"""Whether the other site is kept from writing while the witness is lost: it keeps to a permit, or it is off.

At a site of several nodes that is so when it is so of each node: what a node's agent has not heard, its fence does not
follow. A node that is cut off from its own site may have been permitted before, and go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbooks.change import MOVE, RoleChange
from runbooks.site_nodes import further_agents
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
        if not change.is_off(change.source):
            raise
        return one_line(error)
    return ""


def source_is_barred(change: RoleChange) -> bool:
    """Whether the other site's agents keep to this change; of what does not answer, what the operator says.

    Raises:
        ShopSphereError: its agent does not answer, though it was told before.
    """
    if change.recall("barred"):
        state = change.access.agent_state(change.source)
        return keeps_out(change, state) and nodes_are_barred(change)
    return silence_of_source(change) != "" and (change.variant != MOVE or change.is_off(change.source))


def nodes_are_barred(change: RoleChange) -> bool:
    """Whether each further node of the other site lets nobody write, or nobody has to be feared there."""
    return all(
        change.variant != MOVE or change.is_off(node) if state is None else keeps_out(change, state)
        for node, state in further_agents(change.access, change.source).items()
    )


def silent_nodes(change: RoleChange) -> list[str]:
    """Return the further nodes of the other site that do not answer though nobody has said that they are off."""
    agents = further_agents(change.access, change.source)
    return [node for node, state in agents.items() if state is None and not change.is_off(node)]


def keeps_out(change: RoleChange, state: Mapping[str, Any]) -> bool:
    """Whether an agent of the other site lets nobody write, and will not before the next epoch."""
    return not state["writes"] and knows_of(change, state)


def knows_of(change: RoleChange, state: Mapping[str, Any]) -> bool:
    """Whether an agent keeps to the permit of this change, or the witness is back and has begun its epoch."""
    known = [state.get(name) or {} for name in ("permit", "record")]
    return (change.epoch + 1, change.target) in [(each.get("epoch"), each.get("active")) for each in known]
