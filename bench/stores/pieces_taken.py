"""A piece of a backup is missing or damaged: a restore says so before it changes anything, or uses another bucket."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from command import shopsphere
from restores import Beside, refused_too_late
from scene import Scene
from staged import Stage
from telling import say

from runbooks.restore.archives import bucket_of, identity_file
from runbooks.restore.pieces import Pieces, Wanted, find_all, in_order
from shopsphere.estate.archive_names import PARTIAL, base_key
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError

DATABASE = "commerce"
SWITCHES = 4
"""Segments that are made whole, so that one in the middle may be missing."""


def pieces_under_load(stage: Stage, scene: Scene) -> None:
    """Each piece in turn: taken, or one byte of it changed; put back whatever happens."""
    stage.judgements.clear()
    site = scene.active
    scene.mark("fault")
    for _ in range(SWITCHES):
        shopsphere("lab", "psql", site, DATABASE, "--", "-c", "select pg_switch_wal()", seconds=60)
        time.sleep(2)
    # First what is taken, then the time: a hole counts at once only where something after it came before the time.
    for what in ("the segments are", "the time is"):
        to = datetime.now(UTC)
        say(f"waiting until {what} in the archive: {to:%H:%M:%S} UTC")
        for each in stage.pair.pair.sites:
            stage.wait_until_told(DATABASE, each, to)
    scene.facts["pieces"] = [_tried(stage, scene, to, *case) for case in cases(pieces_of(stage, site, to), site)]


def pieces_of(stage: Stage, site: str, to: datetime) -> Pieces:
    """What a restore would take from a site's bucket.

    Raises:
        ShopSphereError: nothing leads there.
    """
    topology, pair = stage.pair.topology, stage.pair.pair
    model = next(each for each in DATABASES if each.name == DATABASE)
    identity: Path = identity_file(topology, pair, Environment.LAB)
    found, problems = find_all(bucket_of(topology, pair, Environment.LAB, model.cluster(site)), Wanted(to), identity)
    if not found:
        raise ShopSphereError(f"{DATABASE}-{site}: no backup leads to {to}: {'; '.join(problems)}")
    return in_order(found, to)[0]


Case = tuple[str, str, str, tuple[str, ...], tuple[str, ...]]
"""What is done, object, what it is called, words of the command, and what it has to say."""


def cases(pieces: Pieces, site: str) -> list[Case]:
    """What is tried. Of WAL it is a whole segment that others follow."""
    whole = sorted(name for name in pieces.run.names if not name.endswith(PARTIAL))
    if len(whole) < 3:
        raise ShopSphereError(f"{pieces.name} has {len(whole)} whole WAL files, and three are needed")
    middle, label = whole[-2], str(pieces.base["label"])
    wal, base = pieces.wal[middle].key, base_key(pieces.system, label)
    one = ("--site", site, "--base", label)
    return [
        ("take", wal, "WAL is missing", ("--site", site), (middle, "missing")),
        ("damage", wal, "WAL is damaged", one, (middle,)),
        ("take", base, "base backup is missing", one, ("cannot be",)),
        ("damage", base, "base backup is damaged", one, (label, "checksum")),
        ("damage", wal, "WAL of one site is damaged, and the other site's bucket is used", (), ()),
    ]


def _tried(
    stage: Stage, scene: Scene, to: datetime, how: str, key: str, what: str, words: Sequence[str], names: Sequence[str]
) -> dict[str, Any]:
    bucket = f"{DATABASE}-{scene.active}"
    say(f"{what}: {key}")
    with Beside() as beside:
        try:
            (stage.host.objects.take if how == "take" else stage.host.objects.damage)(bucket, key)
            said = stage.restore(beside, DATABASE, to, *words)
        finally:
            stage.host.objects.put_back()
        problems = refused_too_late(said, names) if names else []
        if not names:
            problems = [f"the other bucket was not used: {said.text[-300:]}"] if said.code else []
            if not said.code:
                stage.compare_orders(beside, DATABASE, to)
    scene.problems += [f"{what}: {each}" for each in problems]
    return {"what": what, "code": said.code, "seconds": round(said.seconds, 1), **said.phases}
