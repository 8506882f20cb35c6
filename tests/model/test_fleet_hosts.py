"""Which other programs a text names, and which texts a document has, each with its path."""

from __future__ import annotations

from typing import Any

import pytest

from policies.fleet.hosts import Contact, contacts_in, texts_in

NAMED: dict[str, list[tuple[str, int, str]]] = {
    "https://Reports.Example.NET/in": [("reports.example.net", 0, "https")],
    "https://reports.example.net:8443/in": [("reports.example.net", 8443, "https")],
    "postgresql+psycopg://crm:secret@db.example.net:30032/crm": [("db.example.net", 30032, "postgresql")],
    "http://[2001:db8::7]:3100/push": [("2001:db8::7", 3100, "http")],
    "tcp://reports.example.net.:514": [("reports.example.net", 514, "tcp")],
    "Host logs.example.net, Port 24224": [("logs.example.net", 24224, "")],
    "host=db.example.net port=5433": [("db.example.net", 5433, "")],
    "rsync %p wal@10.99.0.40:/wal/%f": [("10.99.0.40", 0, "")],
    "10.99.0.40:514": [("10.99.0.40", 514, "")],
    "https://a.example.net https://a.example.net/again": [("a.example.net", 0, "https")],
    "https://a.example https://a.example:8443": [("a.example", 0, "https"), ("a.example", 8443, "https")],
    "http://0.0.0.0:8080": [],
    "http://127.0.0.1:8080": [],
    "http://localhost:8080": [],
    "255.255.255.255": [],
    "file://etc/shopsphere/ca.crt": [],
    "https://.../": [],
    "version 1.2.3": [],
}  # fmt: skip


@pytest.mark.parametrize("written", NAMED)
def test_a_text_names_each_other_program_once(written: str) -> None:
    assert [(each.host, each.port, each.scheme) for each in contacts_in(written)] == NAMED[written]


def test_a_contact_of_which_only_the_name_is_known_has_no_port_and_no_scheme() -> None:
    assert (Contact("db.example.net").port, Contact("db.example.net").scheme) == (0, "")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "mysql", "redis", "rediss", "mongodb", "kafka"])
def test_what_is_spoken_to_as_a_database_is_one(scheme: str) -> None:
    assert [each.is_database for each in contacts_in(f"{scheme}://db.example.net/crm")] == [True]


@pytest.mark.parametrize("scheme", ["https", "tcp", "amqp"])
def test_what_is_spoken_to_otherwise_is_none(scheme: str) -> None:
    assert [each.is_database for each in contacts_in(f"{scheme}://db.example.net/crm")] == [False]


TEXTS: list[tuple[Any, list[tuple[str, str]]]] = [
    ("a", [("", "a")]),
    ({"a": {"b": "c"}, "d": 7}, [("a.b", "c")]),
    (["a", "b"], [("[0]", "a"), ("[1]", "b")]),
    ({"env": [{"name": "TO", "value": "x"}]}, [("env[TO].name", "TO"), ("env[TO].value", "x")]),
    ({"env": [{"value": "x"}, {"name": 7, "value": "y"}]}, [("env[0].value", "x"), ("env[1].value", "y")]),
]


@pytest.mark.parametrize(("document", "found"), TEXTS, ids=str)
def test_each_text_of_a_document_has_a_path_and_a_named_entry_is_called_by_its_name(
    document: Any, found: list[tuple[str, str]]
) -> None:
    assert list(texts_in(document)) == found
