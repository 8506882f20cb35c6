"""Parts of the clickstream that end as a lost machine's do, again and again."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from alongside import Alongside

from lab.cluster.addons import kubectl
from lab.enter import HostOffError, run_inside
from shopsphere.estate.event_log import COLLECTOR, EVENT_LOG, INSIGHT
from shopsphere.estate.workloads import GATEWAY
from shopsphere.foundation.process import CommandError

FIRST_SECONDS = 3.0
"""Between the first batches and the first kill."""
LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Part:
    """A part of the way of a click.

    Attributes:
        namespace: of its pods.
        pattern: what the command line of its process has, as a regular expression.
    """

    namespace: str
    pattern: str


PARTS = {
    "collector": Part(COLLECTOR.name, "shop collect"),
    "broker": Part(EVENT_LOG, r"kafka\.Kafka"),
    "worker": Part(INSIGHT.name, "shop insight"),
    "gateway": Part(GATEWAY.name, "haproxy"),
}


class Killing(Alongside):
    """Kills a pod of one of some parts every few seconds.

    The process gets SIGKILL, and then the pod is deleted at once: a kubelet would wait longer before each new start of
    the same pod.

    Args:
        site: where.
        parts: names of PARTS.
        every: seconds between two, a fifth more or less.
        chance: decides which and when.
        has_begun: whether something was acknowledged already: what is killed before says nothing.
        seconds: how long after that (s).

    Attributes:
        killed: how often which part.
        failed: kills that could not be made, as text.
    """

    def __init__(
        self,
        site: str,
        parts: Sequence[str],
        every: float,
        chance: Random,
        has_begun: Callable[[], bool],
        seconds: float,
    ) -> None:
        super().__init__("killing")
        self.killed: Counter[str] = Counter()
        self.failed: list[str] = []
        self._site, self._parts, self._every, self._chance = site, parts, every, chance
        self._has_begun, self._seconds = has_begun, seconds

    def go_on(self) -> None:
        """Kill until it ends."""
        while not self._has_begun() and not self.ended.wait(LOOK_SECONDS):
            pass
        until, wait = time.monotonic() + self._seconds, FIRST_SECONDS
        while time.monotonic() + wait < until and not self.ended.wait(wait):
            began, name = time.monotonic(), self._chance.choice(self._parts)
            try:
                self.killed[name] += kill(self._site, PARTS[name], self._chance)
            except (CommandError, HostOffError, ValueError) as error:
                self.failed.append(f"{name}: {error}"[:200])
            wait = max(0.5, self._every * self._chance.uniform(0.8, 1.2) - (time.monotonic() - began))


def kill(site: str, part: Part, chance: Random) -> int:
    """Kill a running pod of a part; return how many there were to choose from, at most 1."""
    pods = json.loads(kubectl(site, "get", "pods", "-n", part.namespace, "-o", "json", seconds=20))["items"]
    running = [each for each in pods if is_running(each)]
    if not running:
        return 0
    pod = chance.choice(running)
    run_inside(pod["spec"]["nodeName"], ["pkill", "-KILL", "-f", part.pattern], check=False)
    words = ("--force", "--grace-period=0", "--wait=false", "--ignore-not-found")
    kubectl(site, "delete", "pod", "-n", part.namespace, pod["metadata"]["name"], *words, seconds=20)
    return 1


def is_running(pod: dict[str, dict[str, object]]) -> bool:
    """Whether a pod runs and nobody has told it to end."""
    return pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
