"""What the collectors of a pair tell of themselves, read at their nodes every few seconds."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from alongside import Alongside

from lab.cluster.addons import kubectl
from lab.enter import HostOffError, run_inside
from shopsphere.estate.databases import DATABASES
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.process import CommandError

PORT, ANSWER_SECONDS = 8000, 3
EVERY = 5.0
Name = tuple[str, str]
"""Database and site."""


@dataclass(frozen=True)
class Look:
    """What one collector told at one moment.

    Attributes:
        name: database and site.
        at: seconds of the machine's monotonic clock.
        wall: the time then (Unix time).
        figures: without the prefix `archive_`; empty where it gave no answer.
    """

    name: Name
    at: float
    wall: float
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def covered_at(self) -> float:
        """Until when all that the database wrote is in the archive (Unix time); 0 for not known."""
        return self.wall - self.figures["wal_age_seconds"] if "wal_age_seconds" in self.figures else 0.0


def figures_in(text: str) -> dict[str, float]:
    """The figures of a collector by their names, from Prometheus' text format."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name.startswith("archive_"):
            found[name.removeprefix("archive_").partition("{")[0]] = float(value)
    return found


@dataclass(frozen=True)
class Pod:
    """Where a collector runs."""

    namespace: str
    name: str
    node: str
    address: str


class Collectors:
    """All collectors of a pair.

    Args:
        sites: of the pair.
    """

    def __init__(self, sites: Iterable[str]) -> None:
        self.names: list[Name] = [(database.name, site) for site in sites for database in DATABASES]
        self._pods: dict[Name, Pod] = {}

    def look(self) -> list[Look]:
        """What each of them tells now."""
        with ThreadPoolExecutor(len(self.names)) as pool:
            return list(pool.map(self.look_at, self.names))

    def look_at(self, name: Name) -> Look:
        """What one tells now; no figures where it gives no answer."""
        at, wall = time.monotonic(), time.time()
        try:
            return Look(name, at, wall, figures_in(self._asked(name)))
        except (CommandError, HostOffError, LookupError, ValueError):
            self._pods.pop(name, None)  # it may be another pod by now
            return Look(name, at, wall)

    def _asked(self, name: Name) -> str:
        pod = self._pods.get(name) or self._pods.setdefault(name, self.pod(name))
        url = f"http://{pod.address}:{PORT}/metrics"
        words = ["curl", "--noproxy", "*", "-sS", "--fail", "--max-time", str(ANSWER_SECONDS), url]
        asked = run_inside(pod.node, words, check=False, seconds=ANSWER_SECONDS + 5)
        if asked.code == 0:
            return asked.stdout
        return kubectl(
            name[1], "exec", "-n", pod.namespace, pod.name, "--", "archive", "metrics", str(PORT), seconds=20
        )

    def pod(self, name: Name) -> Pod:
        """Where one runs.

        Raises:
            LookupError: none runs.
            CommandError: the site's API does not answer.
        """
        database, site = name
        words = ("-A", "-l", f"app.kubernetes.io/name=archive-{database}", "-o", "json")
        for each in json.loads(kubectl(site, "get", "pods", *words, seconds=20))["items"]:
            status, meta = each["status"], each["metadata"]
            if status.get("phase") == "Running" and status.get("podIP") and not meta.get("deletionTimestamp"):
                return Pod(meta["namespace"], meta["name"], each["spec"]["nodeName"], status["podIP"])
        raise LookupError(f"no pod of archive-{database} runs at {site}")

    def require(self) -> None:
        """Refuse a pair whose collectors do not all answer.

        Raises:
            ShopSphereError: one does not.
        """
        silent = [f"archive-{each.name[0]} at {each.name[1]}" for each in self.look() if not each.figures]
        if silent:
            raise ShopSphereError.build(
                "not every collector tells its figures, so that nothing could be measured",
                expected="`archive metrics 8000` of each to answer, on port 8000 for its node",
                found=f"no answer of {', '.join(silent)}",
                action="`shopsphere backups PAIR`; wait until the pair is up, or bring it up",
            )


class Sampling(Alongside):
    """Looks at all collectors again and again."""

    def __init__(self, collectors: Collectors, every: float = EVERY) -> None:
        super().__init__("collectors")
        self._collectors, self._every = collectors, every
        self.looks: list[Look] = []

    def go_on(self) -> None:
        """Look until it ends."""
        while not self.ended.is_set():
            self.looks += self._collectors.look()
            self.ended.wait(self._every)


def between(looks: Iterable[Look], begin: float, end: float) -> list[Look]:
    """Those of a window of the monotonic clock that were answered."""
    return [each for each in looks if begin <= each.at < end and each.figures]


def most(looks: Iterable[Look], figure: str) -> dict[str, int]:
    """The most of a figure by collector."""
    found: dict[str, int] = {}
    for each in looks:
        key = "-".join(each.name)
        found[key] = max(found.get(key, 0), round(each.figures.get(figure, 0.0)))
    return found


def first_told(looks: Iterable[Look], fault: float) -> float | None:
    """How long after a fault the first collector said that the archive does not answer (s); None for never."""
    said = [each.at for each in looks if each.at >= fault and each.figures.get("store_answers") == 0]
    return round(min(said) - fault, 1) if said else None


def caught_up(looks: Sequence[Look], since: float) -> bool:
    """Whether all collectors say that what was written until a time (Unix) is in the archive, and that it answers."""
    return bool(looks) and all(
        each.covered_at >= since and each.figures.get("store_answers") == 1 for each in looks
    )  # fmt: skip


def behind(looks: Iterable[Look], since: float) -> str:
    """Who has not caught up to a time (Unix) yet, and by how much."""
    found = []
    for each in looks:
        name = "-".join(each.name)
        if not each.figures:
            found.append(f"{name} does not answer")
        elif each.covered_at < since:
            found.append(f"{name} is {since - each.covered_at:.0f} s behind")
        elif not each.figures.get("store_answers"):
            found.append(f"{name}: the archive does not answer")
    return ", ".join(found) or "none"
