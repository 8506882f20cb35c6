"""`zone keys`: which keys are where, and which DS a person may write at the registrar."""

from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace

import pytest
from edge_declaration import ZONE
from typer.testing import CliRunner
from zone_world import World, zone_world

from cli.zone import app
from shopsphere.names.key_record import KeyRecord, end, write_key_record
from shopsphere.names.zone_keys import kept_keys, make_key, private_key


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    found = zone_world(tmp_path / "keys", monkeypatch)
    address = IPv4Address("10.0.0.1")
    access = SimpleNamespace(
        edge_keys="/keys",
        nameservers=[SimpleNamespace(address=address)],
        require_authorities=lambda: [SimpleNamespace(name="ns1", url="https://10.0.0.1")],
    )
    monkeypatch.setattr("shopsphere.estate.access.edge_access", lambda _: access)
    monkeypatch.setattr("shopsphere.estate.access.parent_servers", lambda _: (address,))
    monkeypatch.setattr("shopsphere.clients.powerdns.connect_to", lambda _servers, _identity: found.servers)
    monkeypatch.setattr("shopsphere.names.zone_view.shown_ds", found.shown)
    monkeypatch.setattr("shopsphere.names.zone_view.prove", found.proven)
    return found


@pytest.mark.requirement("no DS of a retired key is offered, and what resolvers ignore at the parent is said")
def test_what_is_said(world: World, tmp_path: Path) -> None:
    (key,) = world.kept()

    def said() -> str:
        done = CliRunner().invoke(app, ["keys"], prog_name="zone")
        assert done.exit_code == 0, done.output
        return done.output

    assert f"{ZONE} IN DS {key.ds(ZONE)}\n" in said()
    old = make_key(tmp_path / "old")
    world.servers[1].keys[5] = old.dnskey
    assert old.ds(ZONE) in said()
    assert "several keys" in said()
    write_key_record(world.servers, ZONE, KeyRecord(retired=frozenset({old.dnskey})))
    assert f"{old.tag} (said to be retired and not proven)" in said()
    assert old.ds(ZONE) in said(), "what anybody may write takes no key away"
    own = private_key(kept_keys(world.folder)[key.dnskey])
    write_key_record(world.servers, ZONE, end(ZONE, old, key, own))
    world.ds = {key.ds(ZONE, 1)}
    text = said()
    assert f"{old.tag} (was retired)" in text
    assert old.ds(ZONE) not in text
    assert "digest type 1 (SHA1, ignored by many)" in text
    assert "several keys" not in text
