"""The settings of `shop insight`, and what the client of Kafka makes of them."""

from __future__ import annotations

import time
from collections.abc import Sequence

import confluent_kafka
import pytest
from free_port import free_port
from insight_world import CATALOGUE, MemorySink, click, envelope, value_of
from mock_broker import PARTITIONS, mock_broker

from app.clicks.settings import ClicksSettings
from app.errors import DatabaseUnavailableError, SettingsError, ShopError
from app.insight import consuming
from app.insight.balance import Outcome, Unit
from app.insight.consuming import PROTOCOLS, BrokersError, KafkaReader, log_of
from app.insight.counting import Extent, Place, merged
from app.insight.rows import rows_of
from app.insight.settings import InsightSettings

pytestmark = pytest.mark.requirement("the worker reads exactly what the collector writes, where it writes it")

USABLE = {"CLICKS_BOOTSTRAP": "kafka-0:9092", "COMMERCE_DSN": "postgresql://insight_app@db:5432/commerce"}


def test_where_the_log_is_is_said_once_for_collector_and_worker() -> None:
    settings = InsightSettings.read({**USABLE, "COMMERCE_PASSWORD": "a-secret", "CLICKS_TOPIC": "other"})
    assert settings.connection == ClicksSettings.read({"CLICKS_BOOTSTRAP": "kafka-0:9092"}).connection
    assert (settings.listen.port, settings.topic, settings.group, settings.log) == (8012, "other", "insight", "")
    assert (settings.keeps.minute_days, settings.keeps.session_days) == (3, 30)
    assert "a-secret" in settings.commerce_dsn
    assert "a-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({}, r"CLICKS_BOOTSTRAP: expected a value"),
        ({"CLICKS_BOOTSTRAP": "kafka-0:9092"}, r"COMMERCE_DSN: expected a value"),
        ({**USABLE, "INSIGHT_GROUPS": "x"}, r"INSIGHT_GROUPS: expected one of .* found an unknown name"),
        ({**USABLE, "INSIGHT_MINUTE_DAYS": "1"}, r"INSIGHT_MINUTE_DAYS: expected a number from 2"),
        ({**USABLE, "INSIGHT_SESSION_DAYS": "31"}, r"INSIGHT_SESSION_DAYS: expected a number from 1 to 30"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_name(variables: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        InsightSettings.read(variables)


def nowhere(_: Sequence[Extent]) -> list[Place]:
    raise DatabaseUnavailableError("it is away")


def test_a_setting_that_the_client_does_not_take_is_said() -> None:
    with pytest.raises(ShopError, match="the client of Kafka does not start"):
        KafkaReader("clicks", {"no.such": "1"}, group="g", protocol="classic", places=nowhere)


def test_brokers_that_do_not_say_which_log_it_is_are_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consuming, "ASK_SECONDS", 0.5)
    settings = {"bootstrap.servers": f"127.0.0.1:{free_port()}"}
    for name in ("", "by-name"):
        with pytest.raises(BrokersError, match="do not say which log the topic 'clicks' is"):
            log_of("clicks", settings, name)
    with mock_broker() as address:
        assert log_of("clicks", {"bootstrap.servers": address}, "by-name") == "by-name"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_group_reads_from_where_the_database_says(protocol: str) -> None:
    sink = MemorySink()
    with mock_broker() as address:
        producer = confluent_kafka.Producer({"bootstrap.servers": address})
        now = int(time.time() * 1000)
        for number in range(40):
            value = value_of(envelope(f"{number % 8:016x}", number // 8, [click()], received=now))
            producer.produce("clicks", value, partition=number % 8 % PARTITIONS, headers={"v": b"1"}, timestamp=now)
        assert producer.flush(20) == 0
        sink.next[0] = (3, 1)
        reader = KafkaReader(
            "clicks", {"bootstrap.servers": address}, group=protocol, protocol=protocol, places=sink.placed
        )
        try:
            until = time.monotonic() + 60
            while not reader.partitions or any(each.lag and each.reads < 10 for each in reader.partitions.values()):
                reader.read(0.2)
                assert time.monotonic() < until
            reader.look_at_ends()
            reader.ask()
            steps, sums = merged(reader.partitions)
            sink.put(steps, rows_of(sums, CATALOGUE))
        finally:
            reader.close()
    assert [each.before for each in steps] == [3, 0, 0, 0]
    assert {each.next for each in steps} == {10}
    assert sink.balance_of(Outcome.COUNTED, Unit.RECORDS) == 37
    assert reader.partitions == {}


def read_on(reader: KafkaReader) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        reader.read(0.2)


def test_a_partition_whose_place_is_not_known_is_not_read() -> None:
    with mock_broker() as address:
        reader = KafkaReader("clicks", {"bootstrap.servers": address}, group="g", protocol="consumer", places=nowhere)
        try:
            with pytest.raises(DatabaseUnavailableError, match="it is away"):
                read_on(reader)
        finally:
            reader.close()
