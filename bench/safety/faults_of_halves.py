"""A site of several nodes that loses a part of what it decides by: a half, its API or its witness (ADR 46)."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from faults_of_nodes import lead_on, lead_on_further_node
from scene import Scene

from lab.enter import run_inside
from shopsphere.clients.site_agent import ask_agent
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.host_rules import PEER_FENCE_TABLE
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.foundation.errors import ShopSphereError


class Diary:
    """What a node's agent says of itself, and the witness of the ledger, by seconds since the fault; into the facts."""

    def __init__(self, scene: Scene, node: str) -> None:
        self._scene, self._node = scene, node
        self._address = f"http://{scene.under_test.hosts.host(node).address}:{SITE_AGENT_PORT}"
        self._entries: list[str] = scene.facts.setdefault("diary", [])
        self._seen: dict[str, object] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> None:
        self._look()
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(10)

    def _write(self) -> None:
        while not self._is_over.wait(0.3):
            self._look()

    def _look(self) -> None:
        now: dict[str, object] = {}
        with suppress(ShopSphereError):
            said = ask_agent(self._address, seconds=1)
            now |= {f"{self._node} {each}": said[each] for each in ("databases", "reaches_peer")}
        with suppress(ShopSphereError, AssertionError):
            now["sync"] = self._scene.under_test.record().sync.value
        since = time.monotonic() - self._scene.at.get("fault", time.monotonic())
        self._entries += [f"{since:.1f} {what} {value}" for what, value in now.items() if self._seen.get(what) != value]
        self._seen |= now


def passive_cut_in_two(scene: Scene) -> None:
    """The recovery site's nodes lose each other, its ledger led from the further one; then the active site is lost.

    What the further one would confirm after that, nobody could promote.
    """
    node = scene.facts["node"] = lead_on_further_node(scene, site=scene.passive)
    _cut_in_two_and_lose(scene, node)


def passive_cut_in_two_without_fence(scene: Scene) -> None:
    """The same with that node's fence to the other site taken away each second: payments are lost, to be found out."""
    node = scene.facts["node"] = lead_on_further_node(scene, site=scene.passive)
    is_over = threading.Event()
    thief = threading.Thread(target=_take_away, args=(node, is_over))
    thief.start()
    try:
        _cut_in_two_and_lose(scene, node)
    finally:
        is_over.set()
        thief.join(10)
        scene.under_test.copy_ledger_anew(scene.passive, node)


def _take_away(node: str, is_over: threading.Event) -> None:
    while not is_over.wait(0.5):
        run_inside(node, ["nft", "delete", "table", "inet", PEER_FENCE_TABLE], check=False)


def _cut_in_two_and_lose(scene: Scene, node: str) -> None:
    with Diary(scene, node):
        scene.mark("fault")
        scene.under_test.cut(scene.passive, node)
        scene.pause(30, 40)  # ADR 46: 23 s at most until nobody waits for what is cut off
        scene.mark("loss")
        scene.under_test.power_off(scene.active)
        scene.pause(1, 4)
        code, said = scene.move("unplanned", check=False)
    if code:  # then nothing may be lost by it either
        scene.facts["refused"] = said[-300:]
        scene.may_stay_shut = True


def flapping_inside_passive(scene: Scene) -> None:
    """The nodes of the recovery site lose each other for 12 s of each 30 s, its ledger led from the further one."""
    node = scene.facts["node"] = lead_on_further_node(scene, site=scene.passive)
    with Diary(scene, node):
        scene.mark("fault")
        for _ in range(4):
            scene.under_test.cut(scene.passive, node)
            scene.pause(12, 12)
            scene.under_test.heal_links()
            scene.pause(18, 18)


def api_of_active_away(scene: Scene) -> None:
    """The active site's API hangs for a minute, both databases led from its first node: payments go on."""
    lead_on(scene, scene.active, DATABASES, further=False)
    _hang_api(scene, scene.active, f"{scene.active}-2")


def api_of_passive_away(scene: Scene) -> None:
    """The recovery site's API hangs for a minute, its ledger led from the further node: nothing is let go."""
    node = lead_on_further_node(scene, site=scene.passive)
    _hang_api(scene, scene.passive, node)


def _hang_api(scene: Scene, site: str, node: str) -> None:
    with Diary(scene, node):
        scene.mark("fault")
        scene.under_test.signal(site, "kube-apiserver", "STOP")
        scene.pause(60, 60)
        scene.under_test.signal(site, "kube-apiserver", "CONT")
        scene.pause(10, 15)


def further_node_without_witness(scene: Scene) -> None:
    """The node with the ledger's leader loses the witness alone: it is shut, and the pair is moved without loss."""
    node = scene.facts["node"] = lead_on_further_node(scene)
    with Diary(scene, node):
        scene.mark("fault")
        for voter in scene.under_test.voters:
            scene.under_test.cut(node, voter)
        scene.pause(20, 30)
        scene.move("unplanned")


def restarted_node_agent(scene: Scene) -> None:
    """The agent of the node that leads the recovery site's ledger is killed: confirmations pause for a moment."""
    node = scene.facts["node"] = lead_on_further_node(scene, site=scene.passive)
    with Diary(scene, node):
        scene.mark("fault")
        scene.under_test.signal(node, "runbooks.agent /", "KILL")
        scene.pause(20, 25)
