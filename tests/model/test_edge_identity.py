"""Who asks the edge's APIs, and what configuration says of it."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from edge_declaration import CDN, CONFIG, STATE
from pydantic import ValidationError
from typer.testing import CliRunner

from cli.main import app
from components.edge.providers.cdn_distribution import CdnDistributionProvider
from components.edge.providers.powerdns_pair_state import PowerDnsPairStateProvider
from shopsphere.clients import cdn_agent, powerdns
from shopsphere.clients.edge_ends import ends_here, judge_edge_ends
from shopsphere.clients.edge_errors import CredentialError
from shopsphere.clients.edge_identity import PULLER, RUNBOOKS, USERS, WATCHER, EdgeIdentity
from shopsphere.doctor import edge as doctor
from shopsphere.edge_door.keys import door_files, make_edge_keys, puller_files
from shopsphere.edge_door.plan import DoorPlan
from shopsphere.edge_door.refused import refused_serials
from shopsphere.estate.access import AccessError, CdnAccess, EdgeAccess, parse_access
from shopsphere.estate.edge_config import EdgeConfig
from shopsphere.foundation.finding import Verdict


def test_each_user_has_a_certificate_of_its_own_and_they_stay(tmp_path: Path) -> None:
    make_edge_keys(tmp_path, ["10.0.0.1", "ns1.example"])
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    names = [
        x509.load_pem_x509_certificate(EdgeIdentity(tmp_path, user).files[1].read_bytes()).subject.rfc4514_string()
        for user in USERS
    ]
    assert names == ["CN=deployer", "CN=runbooks", "CN=watcher"]
    puller = x509.load_pem_x509_certificate(puller_files(tmp_path)[1].read_bytes())
    assert puller.subject.rfc4514_string() == "CN=cdn", "as gateways ask for it"
    puller.verify_directly_issued_by(x509.load_pem_x509_certificate(puller_files(tmp_path)[0].read_bytes()))
    door = x509.load_pem_x509_certificate(door_files(tmp_path)[1].read_bytes())
    served = door.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each) for each in served.get_values_for_type(x509.IPAddress)] == ["10.0.0.1"]
    assert served.get_values_for_type(x509.DNSName) == ["ns1.example"]
    make_edge_keys(tmp_path, ["10.0.0.1"])
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before
    assert tmp_path.stat().st_mode & 0o077 == 0


def test_an_identity_speaks_tls_13_alone(tmp_path: Path) -> None:
    make_edge_keys(tmp_path, ["10.0.0.1"])
    context = EdgeIdentity(tmp_path, WATCHER).context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize("missing", ["ca.crt", "runbooks.crt", "runbooks.key"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    make_edge_keys(tmp_path, ["10.0.0.1"])
    (tmp_path / missing).unlink()
    with pytest.raises(CredentialError, match=f"found: +{tmp_path / missing}"):
        EdgeIdentity(tmp_path, RUNBOOKS).context()


def test_files_that_do_not_fit_are_said(tmp_path: Path) -> None:
    make_edge_keys(tmp_path, ["10.0.0.1"])
    (tmp_path / "watcher.key").write_bytes((tmp_path / "runbooks.key").read_bytes())
    with pytest.raises(CredentialError, match="not a pair that fits"):
        EdgeIdentity(tmp_path, WATCHER).context()


def test_home_and_variables_are_resolved_at_the_time_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/eve")
    monkeypatch.setenv("PLACE", "/srv")
    assert EdgeIdentity.of("~/edge", WATCHER).folder == Path("/home/eve/edge")
    assert EdgeIdentity.of("$PLACE/edge", WATCHER).folder == Path("/srv/edge")


@pytest.mark.requirement("a state of an older version says what to do, and is brought over by `up`")
def test_a_state_of_an_older_version(tmp_path: Path) -> None:
    old = {key: value for key, value in STATE.items() if key != "keysFolder"} | {"keyFile": "/keys/dns"}
    with pytest.raises(CredentialError, match="`shopsphere up edge`, without --refresh"):
        powerdns.connect(old)
    with pytest.raises(CredentialError, match="without --refresh"):
        cdn_agent.connect({"endpoint": CDN["endpoint"], "tokenFile": "/keys/cdn"})
    assert PowerDnsPairStateProvider().diff("", {**old, "live": {}}, STATE).replaces == []
    assert PowerDnsPairStateProvider().diff("", {**old, "live": {}}, STATE).changes
    assert CdnDistributionProvider().diff("", {"tokenFile": "/keys/cdn"}, CDN).changes


VALUES: dict[str, Any] = CONFIG.model_dump(by_alias=True, exclude_none=True)


@pytest.mark.requirement("the edge's APIs are never asked in clear")
@pytest.mark.parametrize(
    "wrong", [{"dnsAuthorities": [{"name": "ns1", "url": "http://10.0.0.1:8081"}]}, {"cdnUrl": "http://10.0.0.3:8082"}]
)
def test_an_address_in_clear_is_refused(wrong: dict[str, Any]) -> None:
    assert EdgeConfig.model_validate(VALUES).edge_keys == "/edge keys"
    with pytest.raises(ValidationError, match="should be an https:// address: who answers there, and who asks"):
        EdgeConfig.model_validate({**VALUES, **wrong})
    model = CdnAccess if "cdnUrl" in wrong else EdgeAccess
    with pytest.raises(AccessError, match="should be an https:// address"):
        parse_access(model, {f"shopsphere:{key}": value for key, value in wrong.items()}, "Pulumi.prod.yaml")


@pytest.mark.parametrize("key", ["dnsApiKeyFile", "cdnTokenFile"])
def test_keys_of_an_older_version_are_refused_with_what_counts_now(key: str) -> None:
    with pytest.raises(ValidationError, match="shopsphere:edgeKeys"):
        EdgeConfig.model_validate({**VALUES, key: "/keys/x"})
    with pytest.raises(AccessError, match="shopsphere:edgeKeys"):
        parse_access(EdgeAccess, {f"shopsphere:{key}": "/keys/x"}, "Pulumi.prod.yaml")


def test_doctor_says_which_certificates_are_here(tmp_path: Path) -> None:
    assert doctor.certificates("").verdict is Verdict.FAILED
    assert "no certificate of deployer, runbooks, watcher" in doctor.certificates(str(tmp_path)).found
    make_edge_keys(tmp_path, ["10.0.0.1"])
    whole = doctor.certificates(str(tmp_path))
    assert (whole.verdict, whole.found.partition("; the first")[0]) == (
        Verdict.PASSED,
        f"{tmp_path}: deployer, runbooks, watcher",
    )
    for name in ("deployer.crt", "deployer.key"):
        (tmp_path / name).unlink()
    assert f"{tmp_path}: runbooks, watcher; not deployer; the first" in doctor.certificates(str(tmp_path)).found
    (tmp_path / "runbooks.key").unlink()
    assert doctor.certificates(str(tmp_path)).verdict is Verdict.FAILED


@pytest.mark.requirement("an owner makes certificates and the door's files with two commands")
def test_an_owner_s_door(tmp_path: Path) -> None:
    runner, keys, plan = CliRunner(), tmp_path / "keys", tmp_path / "plan.json"
    made = runner.invoke(app, ["edge-door", "keys", str(keys), "--name", "10.0.0.1"])
    assert made.exit_code == 0, made.output
    assert {f"{user}.crt" for user in (*USERS, PULLER)} < {each.name for each in keys.iterdir()}
    assert "shopsphere:cdnAuthority" in made.output
    service = {"kind": "dns", "address": "10.0.0.1", "port": 8081, "innerPort": 8091, "keyFile": "/etc/dns.key"}
    secret = str(tmp_path / "door.secret")
    socket, refused = str(tmp_path / "rights.sock"), str(tmp_path / "refused.txt")
    own = {"rightsSocket": socket, "secretFile": secret, "refusedFile": refused, "services": {"ns1": service}}
    plan.write_text(json.dumps(own))
    written = runner.invoke(app, ["edge-door", "write", str(plan), str(keys), "--environment", "prod"])
    assert written.exit_code == 0, written.output
    assert [each["zone"] for each in json.loads(plan.read_text())["states"]] == ["shop.example."] * 3
    assert "bind 10.0.0.1:8081 ssl" in (tmp_path / "haproxy.cfg").read_text()
    assert DoorPlan.read(plan).services["ns1"].key_file == Path("/etc/dns.key")
    stolen = x509.load_pem_x509_certificate((keys / "watcher.crt").read_bytes()).serial_number
    for word in (str(keys / "watcher.crt"), "AB:1F"):
        done = runner.invoke(app, ["edge-door", "refuse", refused, word, "--why", "lost"])
        assert done.exit_code == 0, done.output
    assert refused_serials(Path(refused)) == {f"{stolen:x}", "ab1f"}
    assert runner.invoke(app, ["edge-door", "refuse", refused, "no serial", "--why", "lost"]).exit_code != 0


@pytest.mark.requirement(
    "the end of the CDN's certificate is told where no key of it is, and the CDN is no user of an API"
)
def test_the_cdns_certificate_is_told_by_its_copy(tmp_path: Path) -> None:
    make_edge_keys(tmp_path, ["10.0.0.1"])
    (tmp_path / f"{PULLER}.key").unlink()
    assert set(ends_here(str(tmp_path))) == {"ca.crt", "cdn.crt", *(f"{user}.crt" for user in USERS)}
    (tmp_path / f"{PULLER}.crt").write_text("no certificate")
    finding = judge_edge_ends(ends_here(str(tmp_path)), datetime.now(UTC))
    assert (finding.verdict, "the edge's cdn.crt is no certificate" in finding.found) == (Verdict.FAILED, True)
    (tmp_path / f"{PULLER}.crt").unlink()
    assert f"{PULLER}.crt" not in ends_here(str(tmp_path))
    assert PULLER not in USERS
