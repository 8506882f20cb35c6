"""The lab's parent zone: it refuses a DS of a key that does not sign, and shows again what it showed before."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from edge_declaration import ZONE
from edge_fakes import FakeAuthority

from lab.edge import parent
from lab.edge.parent import SIGNING, anchors_file, anchors_text, ensure_parent, main, show_ds, shown_before
from lab.edge.settings import EdgeSettings
from shopsphere.foundation.errors import UsageError
from shopsphere.names.zone_keys import ZoneKey, key_file, make_key, private_text

DS = "6499 13 2 13b96f9f37a1e9c044180fb926a4e69e488c84f55bdf41d03638d358fdfd3181"
NONE = "0 13 2 " + "0" * 64


@pytest.fixture
def settings(tmp_path: Path) -> EdgeSettings:
    crt, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    return EdgeSettings(disk=tmp_path, run=tmp_path, certificate=crt, key=key, edge_keys=tmp_path, origin_authority=crt)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> list[FakeAuthority]:
    found = [FakeAuthority("ns1"), FakeAuthority("ns2")]
    for each in found:
        each.create_zone("test.", [])
        each.create_zone(ZONE, [])
    monkeypatch.setattr(parent, "_authorities", lambda _settings: found)
    monkeypatch.setattr(parent, "run", lambda *_words, **_more: None)
    return found


def signs(servers: list[FakeAuthority], folder: Path) -> ZoneKey:
    key = make_key(folder)
    for server in servers:
        server.add_zone_key(ZONE, private_text(key_file(folder, key)))
    return key


@pytest.mark.requirement("the lab's parent vouches only for keys with which every authority signs")
def test_a_wrong_ds(servers: list[FakeAuthority], settings: EdgeSettings, tmp_path: Path) -> None:
    key, half = signs(servers, tmp_path), signs(servers[:1], tmp_path)
    for wrong in (NONE, half.ds(ZONE), key.ds(ZONE, 1), key.ds(ZONE, 4).replace(str(key.tag), str(half.tag))):
        with pytest.raises(UsageError, match=f"(?s)expected: {key.ds(ZONE)}.*{wrong}"):
            show_ds(settings, ZONE, [key.ds(ZONE), wrong])
    assert [each.rrset("test.", ZONE, "DS") for each in servers] == [None, None]
    assert not anchors_file(settings).exists()
    show_ds(settings, ZONE, [key.ds(ZONE, 4)])
    assert shown_before(settings, ZONE) == [key.ds(ZONE, 4)]
    show_ds(settings, ZONE, [key.ds(ZONE)])
    assert [each.rrset("test.", ZONE, "DS") is not None for each in servers] == [True, True]
    show_ds(settings, ZONE, ())
    assert [each.rrset("test.", ZONE, "DS") for each in servers] == [None, None]


@pytest.mark.requirement("where no key signs everywhere, the DS is not taken away in its place")
def test_nothing_signs(
    servers: list[FakeAuthority], settings: EdgeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.edge.components.lab_settings", lambda: settings)
    key = signs(servers, tmp_path)
    main([ZONE, SIGNING])
    assert shown_before(settings, ZONE) == [key.ds(ZONE)]
    servers[1].keys = {}
    with pytest.raises(UsageError, match="no key signs"):
        main([ZONE, SIGNING])
    assert shown_before(settings, ZONE) == [key.ds(ZONE)]


@pytest.fixture
def store(tmp_path: Path) -> Callable[[str], Path]:
    def made(name: str) -> Path:
        with sqlite3.connect(tmp_path / name) as connection:
            connection.execute("CREATE TABLE domains (id INTEGER PRIMARY KEY, name, type)")
            connection.execute("CREATE TABLE records (domain_id, name, type, content, ttl, disabled, auth)")
        return tmp_path / name

    return made


@pytest.mark.requirement("an authority that lost its store shows the DS that the parent showed before")
def test_the_parent_of_a_lost_store(settings: EdgeSettings, store: Callable[[str], Path]) -> None:
    def shown(database: Path) -> list[tuple[str, int]]:
        with sqlite3.connect(database) as connection:
            return connection.execute(
                "SELECT content, auth FROM records WHERE name = 'shopsphere.test' AND type = 'DS'"
            ).fetchall()

    assert shown_before(settings, ZONE) == []
    first = store("first")
    ensure_parent(first, ZONE, ["ns1", "ns2"], shown_before(settings, ZONE))
    assert shown(first) == []
    anchors_file(settings).parent.mkdir()
    anchors_file(settings).write_text(anchors_text(ZONE, [DS, NONE]))
    assert shown_before(settings, ZONE) == [DS, NONE]
    assert shown_before(settings, "sphere.test.") == []
    again = store("again")
    ensure_parent(again, ZONE, ["ns1", "ns2"], shown_before(settings, ZONE))
    assert shown(again) == [(DS, 1), (NONE, 1)]
