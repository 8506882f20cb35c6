"""Where attackers and those who belong there ask from, and how one gets there."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attempt import CLIENT, DESK, HOST, OWN_POD, PEER, POD, SITE, Question

from lab.cluster.addons import kubectl
from lab.enter import command_inside
from lab.hosts import client_host, load_hosts
from lab.record import regions
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.process import run
from shopsphere.topology import Pair, Topology

KNOCKING = Path(__file__).resolve().with_name("knocking.py")
SECONDS = 400
_LINES, _SECONDS_EACH = 10.0, 6.5
"""kube-router writes down what it refuses a pod ten times at once, and ten times a minute."""

Answers = list[dict[str, Any]]


class Places:
    """The places of one run.

    Args:
        pair: that is attacked.
        other: in whose jurisdiction the attackers are.
        topology: of the lab.
    """

    def __init__(self, pair: Pair, other: Pair, topology: Topology) -> None:
        hosts = self._lab = load_hosts(topology)
        client = client_host(topology.jurisdiction_of(other.primary))
        self._hosts = {CLIENT: client, HOST: other.primary, SITE: pair.primary, PEER: pair.recovery}
        self._pods = {OWN_POD: _pod_of(pair.primary)}
        self._sites = {POD: other.primary, OWN_POD: pair.primary}
        if other.name in regions():
            self._pods[POD] = _pod_of(other.primary)
        self._addresses = {place: str(hosts.host(name).address) for place, name in self._hosts.items()}
        self._addresses |= {place: address for place, (_, address) in self._pods.items()}
        self._addresses[DESK] = str(hosts.workstation.address)
        self._left = {place: (_LINES, time.monotonic()) for place in self._pods}

    def has(self, place: str) -> bool:
        """Whether one can ask from there: a pod of another jurisdiction needs that region."""
        return place != POD or POD in self._pods

    def is_pod(self, place: str) -> bool:
        """Whether who asks from there is a pod."""
        return place in self._pods

    def address(self, place: str) -> str:
        """Return the address that logs have of who asks from there."""
        return self._addresses[place] if place in self._addresses else str(self._lab.host(place).address)

    def host(self, place: str) -> str:
        """Return the host; empty for the operators' machine, which is none."""
        if place == DESK:
            return ""
        return self._hosts.get(place) or self._sites.get(place) or place

    def ask(self, place: str, questions: Sequence[Question]) -> Answers:
        """Ask from a place, or from a host by its name; what kept us from asking is an answer of kind `error`."""
        try:
            return self._asked(place, questions)
        except (ShopSphereError, ValueError, IndexError) as error:
            text = " ".join(str(error).split())[-300:]
            return [{"kind": "error", "status": 0, "text": f"{type(error).__name__}: {text}"} for _ in questions]

    def _asked(self, place: str, questions: Sequence[Question]) -> Answers:
        asked = json.dumps(list(questions))
        if place in self._pods:
            self._wait_for_a_line(place, len(questions))
            words = ["exec", "-i", "-n", "shop", self._pods[place][0], "-c", "shop", "--"]
            program = ["python3.11", "-c", KNOCKING.read_text()]
            said = kubectl(self._sites[place], *words, *program, stdin=asked, seconds=SECONDS)
        elif place == DESK:
            said = run([sys.executable, KNOCKING], stdin=asked, seconds=SECONDS).stdout
        else:
            inside = command_inside(self._hosts.get(place, place), ["python3", str(KNOCKING)])
            said = run(inside, stdin=asked, seconds=SECONDS).stdout
        return list(json.loads(said.strip().splitlines()[-1]))

    def _wait_for_a_line(self, place: str, questions: int) -> None:
        """Wait until the first of these would be written down; the others may be told by counters alone."""
        left, at = self._left[place]
        left = min(_LINES, left + (time.monotonic() - at) / _SECONDS_EACH)
        if left < 1:
            time.sleep((1 - left) * _SECONDS_EACH)
            left = 1.0
        self._left[place] = max(0.0, left - questions), time.monotonic()


def _pod_of(site: str) -> tuple[str, str]:
    """Return name and address of a pod of the shop that runs.

    Raises:
        ShopSphereError: there is none.
    """
    listed = json.loads(kubectl(site, "get", "pods", "-n", "shop", "-l", "app.kubernetes.io/name=shop", "-o", "json"))
    running = [each for each in listed["items"] if each["status"]["phase"] == "Running"]
    if not running:
        raise ShopSphereError.build(
            f"no pod of the shop runs at {site}",
            expected="a pair that is deployed",
            found=f"{len(listed['items'])} pods, none of them running",
            action=f"`make up`, then `shopsphere status {site}`",
        )
    return running[0]["metadata"]["name"], running[0]["status"]["podIP"]
