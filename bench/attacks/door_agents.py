"""The doors of a pair's agents (H1)."""

from __future__ import annotations

from collections.abc import Iterator

from attacked import Scene
from attempt import CLIENT, DESK, HOST, PEER, POD, PORT, STATUS, Attempt, Control, attempt, get, post

from shopsphere.estate.site_agent import SITE_AGENT_PORT

CONNECTIONS, SECONDS = 1020, 20
MOST_HELD = 64
"""The door has 32 places for an address, or 64 for one that it does not know."""


def attempts(scene: Scene) -> Iterator[Attempt]:
    """Yield what strangers try at the agents, and what the door itself refuses."""
    doors = [f"http://{scene.address(each)}:{SITE_AGENT_PORT}" for each in scene.pair.sites]
    answered = Control(DESK, tuple(get(f"{each}/state") for each in doors), r"^http 200 ")
    for place in (CLIENT, POD, HOST):
        yield attempt(
            "H1",
            "read names and reasons of operators",
            place,
            [get(f"{each}/state") for each in doors],
            PORT,
            control=answered,
        )
    tell = [post(f"{each}{path}", {"open": True}) for each in doors for path in ("/state", "/writes", "/rules")]
    yield attempt("H1", "tell an agent to open", HOST, tell, PORT, control=answered)
    active = [scene.active, SITE_AGENT_PORT]
    writes = Control(DESK, (get(f"http://{active[0]}:{active[1]}/writes"),), r"^http 200 ")
    held = {"slow": active, "connections": CONNECTIONS, "seconds": SECONDS}
    what = f"hold {CONNECTIONS} slow connections to the active site's door for {SECONDS} s"
    yield attempt("H1", what, CLIENT, [held], PORT, control=writes)
    yield attempt("H1", f"{what}, from an address that it answers", DESK, [held], most=MOST_HELD, control=writes)
    yield attempt(
        "H1",
        "tell an agent to open, from an address that it answers",
        DESK,
        [post(f"{each}{path}", {"open": True}) for each in doors for path in ("/state", "/writes")],
        STATUS,
        statuses=(400, 403, 404, 405, 411, 413, 501),
        control=answered,
    )
    # The pair's other site is no asker of rules; its connection ends at the host.
    yield attempt(
        "H1",
        "load rules of one's own",
        PEER,
        [post(f"{doors[0]}/rules", {"load": True})],
        PORT,
        STATUS,
        control=answered,
    )
