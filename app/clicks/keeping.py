"""`shop keep-log`: sees to it that a broker has the declared topics and rights, and answers probes about it.

It runs beside the broker and asks it as the broker itself, over loopback. Only a look that found everything as
declared, or made it so, counts as ready. Topics are never deleted, and partitions never taken away: that is a person's.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Protocol

import structlog
from confluent_kafka import KafkaException

from app.clicks.settings import KeeperSettings
from app.errors import ShopError

LOOK_SECONDS = 15.0
"""Between two looks, where all is well."""
AGAIN_SECONDS = 1.0
"""After a look that found no broker, or could not make all as declared."""
LIVE_SECONDS = 60.0
"""Without an answer of the broker for so long it counts as hanging."""
READY_SECONDS = 45.0
"""Three looks."""
REQUEST_SECONDS = 5.0
"""A probe that takes longer to ask is no probe."""

Right = tuple[str, str, str, str]
"""Principal, kind, name, operation."""


@dataclass(frozen=True)
class DeclaredTopic:
    """A topic as it has to be."""

    name: str
    partitions: int
    settings: Mapping[str, str]


@dataclass(frozen=True)
class DeclaredLog:
    """All topics and rights."""

    topics: tuple[DeclaredTopic, ...]
    rights: frozenset[Right]

    @classmethod
    def read(cls, file: Path) -> DeclaredLog:
        """Read the declaration that a deployment wrote.

        Raises:
            ShopError: it cannot be read, or is none.
        """
        try:
            document = json.loads(file.read_text())
            return cls(
                tuple(DeclaredTopic(each["name"], each["partitions"], each["settings"]) for each in document["topics"]),
                frozenset((r["principal"], r["kind"], r["name"], r["operation"]) for r in document["rights"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ShopError.build(
                "the declaration of the event log cannot be used",
                expected=f"{file}: JSON with topics (name, partitions, settings) and rights",
                found=f"{type(error).__name__}: {error}",
                action="deploy the stack again; the file is CLICKS_DECLARATION_FILE",
            ) from error


class Broker(Protocol):
    """What a keeper asks of a broker; each raises KafkaException where it does not answer or refuses."""

    def partitions(self) -> dict[str, int]:
        """Return the number of partitions of each topic."""

    def create(self, topic: DeclaredTopic) -> None:
        """Create a topic."""

    def add_partitions(self, topic: DeclaredTopic) -> None:
        """Give a topic its number of partitions, which is higher than what it has."""

    def settings(self, name: str) -> dict[str, str]:
        """Return the settings of a topic."""

    def set(self, name: str, settings: Mapping[str, str]) -> None:
        """Change settings of a topic."""

    def rights(self) -> frozenset[Right]:
        """Return all rights."""

    def grant(self, right: Right) -> None:
        """Add a right."""

    def revoke(self, right: Right) -> None:
        """Take a right away."""


class Keeper:
    """Looks at a broker, and remembers when it last answered and was last as declared."""

    def __init__(self, broker: Broker, declared: DeclaredLog, *, now: Callable[[], float] = time.monotonic) -> None:
        self._broker = broker
        self._declared = declared
        self._now = now
        self._log = structlog.get_logger("keeper")
        self._answered = self._kept = float("-inf")

    @property
    def is_live(self) -> bool:
        """Whether the broker has answered of late."""
        return self._now() - self._answered <= LIVE_SECONDS

    @property
    def is_ready(self) -> bool:
        """Whether the broker was as declared of late."""
        return self._now() - self._kept <= READY_SECONDS

    def look(self) -> bool:
        """Make the broker as declared where it is not; return whether it is."""
        try:
            have = self._broker.partitions()
            self._answered = self._now()
            whole = [self._topic(topic, have.get(topic.name, 0)) for topic in self._declared.topics]
            self._rights()
        except KafkaException as error:
            self._log.warning("the broker is not as declared", error=str(error))
            return False
        if all(whole):
            self._kept = self._now()
        return all(whole)

    def _topic(self, topic: DeclaredTopic, have: int) -> bool:
        if not have:
            self._broker.create(topic)
            self._log.info("topic created", topic=topic.name, partitions=topic.partitions)
            return True
        found = self._broker.settings(topic.name)
        other = {name: value for name, value in topic.settings.items() if found.get(name) != value}
        if other:
            self._broker.set(topic.name, other)
            self._log.info("topic changed", topic=topic.name, settings=sorted(other))
        if have < topic.partitions:
            self._broker.add_partitions(topic)
            self._log.info("partitions added", topic=topic.name, partitions=topic.partitions, before=have)
        if have > topic.partitions:
            self._log.error(
                "a topic has more partitions than declared, and Kafka takes none away",
                topic=topic.name,
                expected=topic.partitions,
                found=have,
                action="declare as many as there are (shopsphere:kafka, clickPartitions)",
            )
        return have <= topic.partitions

    def _rights(self) -> None:
        have = self._broker.rights()
        for right in sorted(self._declared.rights - have):
            self._broker.grant(right)
            self._log.info("right granted", right=" ".join(right))
        for right in sorted(have - self._declared.rights):
            self._broker.revoke(right)
            self._log.warning("a right that nobody declared was taken away", right=" ".join(right))


def keep(settings: KeeperSettings, broker: Broker) -> None:
    """Look for ever, and answer probes meanwhile; a thread that ends ends the process.

    Raises:
        ShopError: the declaration cannot be read.
    """
    keeper = Keeper(broker, DeclaredLog.read(Path(settings.declaration_file)))
    server = probes(keeper, settings.listen.address, settings.listen.port)
    answering = threading.Thread(target=server.serve_forever, name="probes", daemon=True)
    answering.start()
    while answering.is_alive():
        time.sleep(LOOK_SECONDS if keeper.look() else AGAIN_SECONDS)
    raise ShopError.build(
        "probes are answered no more",
        expected="a thread that answers them",
        found="one that has ended",
        action="read the log above; the container starts anew",
    )


def probes(keeper: Keeper, address: str, port: int) -> HTTPServer:
    """Return a server that answers /livez and /readyz about the broker, and /keeperz about itself."""

    class Probe(BaseHTTPRequestHandler):
        timeout = REQUEST_SECONDS

        def do_GET(self) -> None:
            answers = {"/livez": keeper.is_live, "/readyz": keeper.is_ready, "/keeperz": True}
            found = answers.get(self.path)
            self.send_response(404 if found is None else 200 if found else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the library's own name
            """Say nothing: a probe asks every few seconds."""

    return HTTPServer((address, port), Probe)
