"""A database of some GiB: filled, backed up, and brought back to the second before a DROP TABLE, under load."""

import shutil
import time
from datetime import datetime
from typing import Any

from filling import GIBIBYTE, MEBIBYTE, fill, require_room
from mistakes import MAKE, Mistake, made_and_restored
from restores import PLACE, Beside, refused_too_late
from scene import Scene
from sql_session import SqlSession
from staged import OWN, Stage, moment
from telling import say

from app.archive.bases import WISH
from app.archive.settings import SPOOL
from lab.cluster.addons import kubectl
from runbooks.restore.archives import bases_of, bucket_of, newest_system
from shopsphere.clients.archive import ArchiveError
from shopsphere.estate.databases import COMMERCE
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import lab_directory
from shopsphere.foundation.process import CommandError

TABLE = f"{OWN}large"
LITTLE_MIB = 64
BASE_SECONDS, TAKEN_UP_SECONDS = 3600, 60
"""Longest waits (s): for a base backup that was asked for; for the collector to take up the wish."""


def large_under_load(stage: Stage, scene: Scene, gigabytes: float) -> None:
    """Fill, back up, refuse in too little room, restore, and take the table away again."""
    stage.judgements.clear()
    scene.mark("fault")
    pair = stage.pair
    instances = sum(
        pair.access.database(each, COMMERCE).document()["spec"]["instances"] for each in pair.pair.sites
    )  # fmt: skip
    for place in {PLACE, lab_directory()}:
        say(f"{place}: {require_room(gigabytes, instances, shutil.disk_usage(place).free)}")
    with SqlSession.at(scene.active, "commerce") as session:
        session.ask(f"drop table if exists {TABLE}")
        session.ask(MAKE.format(table=TABLE))
        try:
            scene.facts["large"] = _measured(stage, scene, session, gigabytes)
        finally:
            session.ask(f"drop table if exists {TABLE}")
            say(f"{TABLE} is gone")
    say("a base backup without it is asked for, so that the next restore is short")
    scene.facts["large"]["base_after"] = base_taken(stage, scene.active)


def _measured(stage: Stage, scene: Scene, session: SqlSession, gigabytes: float) -> dict[str, Any]:
    began = time.monotonic()
    rows, size = fill(session, TABLE, gigabytes, stage.collectors.look)
    facts: dict[str, Any] = {"gib": round(size / GIBIBYTE, 2), "table_rows": rows,
                             "fill_seconds": round(time.monotonic() - began, 1)}  # fmt: skip
    say(f"{rows} rows, {size / GIBIBYTE:.2f} GiB in {facts['fill_seconds']} s; a base backup is asked for")
    session.ask("checkpoint")
    stage.wait_until_caught_up(time.time())
    facts["base"] = base_taken(stage, scene.active)
    say(f"base backup: {facts['base']}")
    facts["refused"] = _refused(stage, scene)
    mistake = Mistake("commerce", TABLE, f"drop table {TABLE}")
    facts["restored"] = made_and_restored(stage, scene, mistake, session, rows=rows)
    return facts


def _refused(stage: Stage, scene: Scene) -> dict[str, Any]:
    """Ask for the same in too little room: that has to be said before anything is fetched."""
    to = moment(int(time.time()) - 1)
    stage.wait_until_told("commerce", scene.active, to)
    with Beside() as beside:
        beside.give_little_room(LITTLE_MIB)
        said = stage.restore(beside, "commerce", to)
    scene.problems += refused_too_late(said, ("not enough room", "MiB"))
    found = next((line.strip() for _, line in said.lines if "expected:" in line), "")
    return {"code": said.code, "seconds": round(said.seconds, 1), "said": found[:200]}


def base_taken(stage: Stage, site: str) -> dict[str, Any]:
    """Ask a site's collector for a base backup, and wait until it is in the archive.

    Returns:
        how long it took and how large it is; why there is none.
    """
    asked, pod = time.time(), stage.collectors.pod(("commerce", site))
    wish = f"{SPOOL / WISH}"
    where = ("exec", "-n", pod.namespace, pod.name, "--", "sh", "-c")
    kubectl(site, *where, f": > {wish}", seconds=30)
    time.sleep(TAKEN_UP_SECONDS / 2)
    if _is_there(site, where, wish):
        time.sleep(TAKEN_UP_SECONDS / 2)
        if _is_there(site, where, wish):
            kubectl(site, *where, f"rm -f {wish}", seconds=30)
            return {"none": "the collector does not take up wishes: its image is older; restored from an older one"}
    bucket = bucket_of(stage.pair.topology, stage.pair.pair, Environment.LAB, COMMERCE.cluster(site))
    taken: list[dict[str, Any]] = []

    def is_taken() -> bool:
        try:
            found = bases_of(bucket, newest_system(bucket))
        except ArchiveError:
            return False
        taken[:] = [each for each in found if datetime.fromisoformat(each["started"]).timestamp() >= asked - 1]
        return bool(taken)

    wait_until(is_taken, what="the base backup that was asked for", seconds=BASE_SECONDS, interval=5)
    seconds = datetime.fromisoformat(taken[-1]["ended"]).timestamp() - asked
    unpacked = taken[-1].get("unpacked_bytes") or 0
    return {"label": taken[-1]["label"], "seconds": round(seconds, 1), "packed_mib": taken[-1]["bytes"] // MEBIBYTE,
            "unpacked_mib": unpacked // MEBIBYTE}  # fmt: skip


def _is_there(site: str, where: tuple[str, ...], file: str) -> bool:
    try:
        return "there" in kubectl(site, *where, f"[ -e {file} ] && echo there || true", seconds=30)
    except CommandError:
        return False
