"""The keeper of the event log: makes topics and rights as declared, and says when they are not."""

import json
import threading
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException

from app.clicks.keeping import DeclaredLog, DeclaredTopic, Keeper, Right, probes
from app.errors import ShopError

SILENT = -195
"""What Kafka's client calls a broker that it does not reach."""
RIGHT: Right = ("User:collector", "TOPIC", "clicks", "WRITE")
DECLARED = DeclaredLog((DeclaredTopic("clicks", 6, {"retention.ms": "1000"}),), frozenset({RIGHT}))


class MemoryBroker:
    """Topics and rights of a broker in memory; silent where it is told to be."""

    def __init__(self) -> None:
        self.topics: dict[str, int] = {}
        self.kept: dict[str, dict[str, str]] = {}
        self.given: set[Right] = set()
        self.is_silent = False

    def partitions(self) -> dict[str, int]:
        if self.is_silent:
            raise KafkaException(KafkaError(SILENT))
        return dict(self.topics)

    def create(self, topic: DeclaredTopic) -> None:
        self.topics[topic.name] = topic.partitions
        self.kept[topic.name] = dict(topic.settings)

    def add_partitions(self, topic: DeclaredTopic) -> None:
        self.topics[topic.name] = topic.partitions

    def settings(self, name: str) -> dict[str, str]:
        return {"compression.type": "producer", **self.kept[name]}

    def set(self, name: str, settings: Mapping[str, str]) -> None:
        self.kept[name] |= settings

    def rights(self) -> frozenset[Right]:
        return frozenset(self.given)

    def grant(self, right: Right) -> None:
        self.given.add(right)

    def revoke(self, right: Right) -> None:
        self.given.remove(right)


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


def test_an_empty_broker_becomes_as_declared(broker: MemoryBroker) -> None:
    keeper = Keeper(broker, DECLARED, now=lambda: 0.0)
    assert not keeper.is_ready
    assert keeper.look()
    assert (broker.topics, broker.kept, broker.given) == ({"clicks": 6}, {"clicks": {"retention.ms": "1000"}}, {RIGHT})
    assert keeper.is_ready
    assert keeper.is_live


@pytest.mark.requirement("retention is as declared, whoever changed it")
def test_what_somebody_changed_is_put_back(broker: MemoryBroker) -> None:
    keeper = Keeper(broker, DECLARED)
    keeper.look()
    broker.kept["clicks"]["retention.ms"] = "-1"
    broker.topics["clicks"] = 3
    broker.given |= {("User:stranger", "TOPIC", "clicks", "READ")}
    assert keeper.look()
    assert (broker.topics, broker.kept["clicks"], broker.given) == ({"clicks": 6}, {"retention.ms": "1000"}, {RIGHT})


def test_partitions_too_many_are_told_and_nothing_is_deleted(broker: MemoryBroker) -> None:
    keeper = Keeper(broker, DECLARED)
    broker.topics, broker.kept = {"clicks": 9, "old": 1}, {"clicks": {}, "old": {}}
    assert not keeper.look()
    assert broker.topics == {"clicks": 9, "old": 1}
    assert keeper.is_live
    assert not keeper.is_ready


def test_a_silent_broker_is_neither_ready_nor_in_the_end_live(broker: MemoryBroker) -> None:
    moment = [0.0]
    keeper = Keeper(broker, DECLARED, now=lambda: moment[0])
    keeper.look()
    broker.is_silent = True
    moment[0] = 46.0
    assert not keeper.look()
    assert (keeper.is_live, keeper.is_ready) == (True, False)
    moment[0] = 61.0
    assert not keeper.is_live


def test_probes_are_answered(broker: MemoryBroker) -> None:
    keeper = Keeper(broker, DECLARED)
    server = probes(keeper, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def status(path: str) -> int:
        connection = HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
        connection.request("GET", path)
        found = connection.getresponse().status
        connection.close()
        return found

    try:
        assert [status(path) for path in ("/livez", "/readyz", "/keeperz", "/other")] == [503, 503, 200, 404]
        keeper.look()
        assert [status(path) for path in ("/livez", "/readyz")] == [200, 200]
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"topics": [{}], "rights": []}', '{"topics": 1, "rights": []}'])
def test_a_declaration_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "declaration.json"
    file.write_text(text)
    with pytest.raises(ShopError, match="the declaration of the event log cannot be used"):
        DeclaredLog.read(file)


def test_a_declaration_is_read(tmp_path: Path) -> None:
    file = tmp_path / "declaration.json"
    right = dict(zip(("principal", "kind", "name", "operation"), RIGHT, strict=True))
    topic = {"name": "clicks", "class": "personal", "partitions": 6, "settings": {"retention.ms": "1000"}}
    file.write_text(json.dumps({"topics": [topic], "rights": [right]}))
    assert DeclaredLog.read(file) == DECLARED
