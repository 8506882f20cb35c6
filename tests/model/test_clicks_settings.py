"""The settings of `shop collect`, and what the client of Kafka makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.clicks.producing import KafkaProducer
from app.clicks.settings import VARIABLES, ClicksSettings, KeeperSettings
from app.errors import SettingsError, ShopError

USABLE = {"CLICKS_BOOTSTRAP": "kafka-0:9092,kafka-1:9092"}


def test_one_address_is_enough() -> None:
    settings = ClicksSettings.read(USABLE)
    assert settings.connection == {"bootstrap.servers": "kafka-0:9092,kafka-1:9092", "security.protocol": "PLAINTEXT"}
    assert (settings.listen.port, settings.topic, settings.bounds.partitions) == (8010, "clicks", 6)


def test_a_password_is_read_from_its_file_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("-")
    (tmp_path / "password").write_text("a-secret\n")
    settings = ClicksSettings.read(
        {
            **USABLE,
            "CLICKS_AUTHORITY_FILE": str(tmp_path / "ca.crt"),
            "CLICKS_SASL_MECHANISM": "SCRAM-SHA-512",
            "CLICKS_SASL_USER": "clicks",
            "CLICKS_SASL_PASSWORD_FILE": str(tmp_path / "password"),
        }
    )
    assert settings.connection["security.protocol"] == "SASL_SSL"
    assert settings.connection["sasl.password"] == "a-secret"
    assert "a-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({}, r"CLICKS_BOOTSTRAP: expected a value"),
        ({**USABLE, "CLICKS_TOPICS": "x"}, r"CLICKS_TOPICS: expected one of .* found an unknown name"),
        ({**USABLE, "CLICKS_PARTITIONS": "0"}, r"CLICKS_PARTITIONS: expected a number from 1"),
        ({**USABLE, "CLICKS_WAITING_MIB": "many"}, r"CLICKS_WAITING_MIB"),
        ({**USABLE, "CLICKS_AUTHORITY_FILE": "/nowhere/ca"}, r"CLICKS_AUTHORITY_FILE: expected a file .* No such file"),
        ({**USABLE, "CLICKS_SASL_MECHANISM": "PLAIN"}, r"CLICKS_AUTHORITY_FILE: expected a file: a password"),
        ({**USABLE, "CLICKS_SASL_MECHANISM": "GSSAPI"}, r"CLICKS_SASL_MECHANISM: expected one of PLAIN, SCRAM"),
        ({**USABLE, "SHOP_POTR": "1"}, r"SHOP_POTR"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_name(variables: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        ClicksSettings.read(variables)


class Asked(dict[str, str]):
    """Variables that remember which of them were asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str:  # type: ignore[override]
        self.names.add(name)
        return super().get(name, default or "")


def test_the_list_of_variables_is_what_is_read(tmp_path: Path) -> None:
    (file := tmp_path / "file").write_text("-")
    files = {name: str(file) for name in VARIABLES if name.endswith("_FILE")}
    asked = Asked({**USABLE, **files, "CLICKS_SASL_MECHANISM": "PLAIN", "CLICKS_SASL_USER": "clicks"})
    ClicksSettings.read(asked)
    KeeperSettings.read(asked)
    assert {name for name in asked.names if name.startswith("CLICKS_")} == VARIABLES


def test_a_client_that_does_not_start_says_what_is_wrong(tmp_path: Path) -> None:
    connection = {
        "bootstrap.servers": "127.0.0.1:1",
        "security.protocol": "SSL",
        "ssl.ca.location": str(tmp_path / "nothing"),
    }
    with pytest.raises(ShopError, match=r"(?s)expected: settings and files.*CLICKS_ variables"):
        KafkaProducer("clicks", connection, "test", ack_seconds=1, most_bytes=2**20)
