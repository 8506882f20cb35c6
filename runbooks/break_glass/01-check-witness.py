"""The witness has no quorum: as long as it has one, there is a safe way.

That this machine does not reach it says little: its own lines may be cut. Each agent says when it heard the quorum
last, and an agent that hears it has the other site's right to write from there.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import chain

from runbooks.change import RoleChange
from runbooks.engine.errors import BlockedError
from runbooks.site_nodes import answering
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.side_by_side import at_each
from shopsphere.witness import PairRecord, WitnessUnreachableError

TITLE = "Make sure that the witness has no quorum"
SECONDS = 45  # agents forget what they heard after 10 s, and a look without a quorum takes up to 5 s


def check(change: RoleChange) -> str:
    """Say what is known without the witness; refuse while it answers."""
    record, heard = _look(change)
    if record is None:
        then = f"; first it is waited until that is too long ago to stand: {heard}" if heard else ""
        return f"no quorum answers; DNS says epoch {change.epoch}; this would begin epoch {change.epoch + 1}{then}"
    _require_ours(change, record)
    return "the witness is back, and knows of this change"


def verify(change: RoleChange) -> bool:
    """No quorum answers, and no agent has heard of one lately; or the witness knows of this change."""
    record, heard = _look(change)
    if record is not None:
        _require_ours(change, record)
    elif heard:
        raise BlockedError.because(
            f"the witness has a quorum, only this machine does not reach it: {heard}",
            action=f"`shopsphere failover {change.pair.name}` from a machine that does",
        )
    return True


def _look(change: RoleChange) -> tuple[PairRecord | None, str]:
    """Return what the witness says, None without a quorum, and which agents have heard of one lately.

    All are asked side by side: voters that are lost take as long as a look may.
    """
    with ThreadPoolExecutor(1) as beside:
        witness = beside.submit(_witness, change)
        heard = at_each(change.pair.sites, partial(_agents, change))
        return witness.result(), ", ".join(chain.from_iterable(heard))


def _require_ours(change: RoleChange, record: PairRecord) -> None:
    """Refuse while the witness answers, unless it knows of this very change already."""
    if not change.is_made_in(record):
        raise BlockedError.because(
            f"the witness answers: epoch {record.epoch}, {record.active} is active",
            action=f"`shopsphere failover {change.pair.name}`: it cannot give two sites the right to write, this can",
        )


def _witness(change: RoleChange) -> PairRecord | None:
    try:
        return change.ask_witness()
    except WitnessUnreachableError:
        return None


def _agents(change: RoleChange, site: str) -> list[str]:
    """Say when each agent of a site heard of the quorum; nothing of one that did long ago, or does not answer."""
    states = dict(answering(change.access, site))
    with suppress(ShopSphereError):
        states[site] = change.access.agent_state(site)
    witnesses = {host: state.get("witness") or {} for host, state in states.items()}
    return [
        f"the agent of {host} heard it {witness.get('seconds_ago')} s ago"
        for host, witness in witnesses.items()
        if witness.get("answered")
    ]
