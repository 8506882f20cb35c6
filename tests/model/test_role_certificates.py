"""Certificates of roles at API servers: when they end, and how a new one is asked for and taken."""

from __future__ import annotations

import base64
import os
import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from present import present

from cli.main import run
from lab.cluster import credentials
from lab.paths import kubeconfig_path
from shopsphere.clients.kubeconfig_ends import ends_of_roles
from shopsphere.clients.role_renewal import RenewalError, RoleLogin
from shopsphere.estate import stack_files
from shopsphere.estate.access import SiteAccess
from shopsphere.estate.cluster_role import Role, subject
from shopsphere.foundation import certificates
from shopsphere.foundation.certificates import KeyPair, certificate_builder, end_of, issue, new_authority
from shopsphere.foundation.errors import UsageError
from shopsphere.topology import load_topology

SITE = "frankfurt"
pytestmark = pytest.mark.requirement("certificates of roles are told before they end, and renewed without an outage")


class Cluster:
    """An authority that signs, and a kubeconfig of one role with contexts of two sites."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.authority = new_authority(base / "cluster", "cluster")
        self.file = base / "etc" / "watch.kubeconfig"
        self.pairs = {site: self.issued(site) for site in (SITE, "dublin")}
        users = [
            {
                "name": f"watch-{site}",
                "user": {"client-certificate-data": data(pair.certificate), "client-key-data": data(pair.key)},
            }
            for site, pair in self.pairs.items()
        ]
        self.write(users)

    def issued(self, site: str) -> KeyPair:
        made = KeyPair(self.base / f"{site}.crt", self.base / f"{site}.key")
        return issue(self.authority, made, common_name=subject(Role.WATCH, "desk"), organisation=Role.WATCH.group)

    def write(self, users: list[dict[str, Any]]) -> None:
        self.file.parent.mkdir(exist_ok=True)
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": site, "cluster": {"server": f"https://{site}:6443"}} for site in self.pairs],
            "users": users,
            "contexts": [{"name": site, "context": {"cluster": site, "user": f"watch-{site}"}} for site in self.pairs],
        }
        self.file.write_text(yaml.safe_dump(document))
        self.file.chmod(0o640)

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.file.read_text())
        return found

    def access(self, **values: Any) -> SiteAccess:
        said = {"kubeconfig": str(self.base / "up.kubeconfig"), "kubeconfigs": {"watch": str(self.file)}, **values}
        return SiteAccess.model_validate(said)

    def login(self) -> RoleLogin:
        return RoleLogin.of(self.access(), SITE, Role.WATCH)

    def signs(self, typed: str, *, days: int = 365, name: str = "") -> Path:
        """Do what the cluster does with what its owner has typed."""
        asked = yaml.safe_load(typed.partition("<<'END'\n")[2].partition("END\n")[0])
        assert (asked["kind"], asked["spec"]["signerName"]) == (
            "CertificateSigningRequest", "kubernetes.io/kube-apiserver-client",
        )  # fmt: skip
        assert asked["spec"]["usages"] == ["client auth"]
        assert re.fullmatch("[a-z0-9-]{1,63}", asked["metadata"]["name"])
        assert f"certificate approve {asked['metadata']['name']}\n" in typed
        request = x509.load_pem_x509_csr(base64.b64decode(asked["spec"]["request"]))
        assert request.is_signature_valid
        signer = serialization.load_pem_private_key(self.authority.key.read_bytes(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        public = request.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        issuer = x509.load_pem_x509_certificate(self.authority.certificate.read_bytes()).subject
        named = x509.Name.from_rfc4514_string(name) if name else request.subject
        now = datetime.now(UTC)
        made = certificate_builder(named, issuer, public, now - timedelta(hours=1), now + timedelta(days=days))
        file = self.base / "signed.crt"
        file.write_bytes(made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return file


def data(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The certificates end in ten days."""
    monkeypatch.setattr(certificates, "LEAF_DAYS", 10)
    return Cluster(tmp_path)


class TestWhenTheyEnd:
    def test_each_role_that_is_here(self, cluster: Cluster) -> None:
        end = end_of(cluster.pairs[SITE].certificate)
        assert ends_of_roles(cluster.access(), SITE) == {"watch": end}
        assert ends_of_roles(cluster.access(context="dublin"), SITE) == {
            "watch": end_of(cluster.pairs["dublin"].certificate)
        }
        assert ends_of_roles(cluster.access(context="nowhere"), SITE) == {"watch": None}
        whole = cluster.access(kubeconfig=str(cluster.file), kubeconfigs={})
        assert ends_of_roles(whole, SITE) == {"up": end}, "other roles log in with the same"
        assert ends_of_roles(SiteAccess(), SITE) == {}

    def test_what_cannot_be_read(self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
        for text in ("", "[", "users: 7", "a: b"):
            cluster.file.write_text(text)
            assert ends_of_roles(cluster.access(), SITE) == {"watch": None}
        monkeypatch.setattr(os, "access", lambda *_: False)
        assert ends_of_roles(cluster.access(), SITE) == {}, "it is another user's"

    @pytest.mark.parametrize(
        ("user", "found"),
        [
            ({"token": "t"}, {}),
            ({"client-certificate": "../frankfurt.crt", "client-key": "../frankfurt.key"}, {"watch": True}),
            ({"client-certificate": "gone.crt"}, {"watch": False}),
            ({"client-certificate-data": "bm90aGluZw=="}, {"watch": False}),
        ],
    )
    def test_other_ways_to_log_in(self, cluster: Cluster, user: dict[str, str], found: dict[str, bool]) -> None:
        cluster.write([{"name": f"watch-{SITE}", "user": user}])
        assert {role: end is not None for role, end in ends_of_roles(cluster.access(), SITE).items()} == found


class TestRenewing:
    def test_the_key_stays_and_the_rest_of_the_file_too(self, cluster: Cluster) -> None:
        login, before = cluster.login(), cluster.document
        typed = login.typed()
        assert "PRIVATE" not in typed
        assert stat.S_IMODE(login.new_key.stat().st_mode) == 0o600
        key = login.new_key.read_bytes()
        end = login.take(cluster.signs(typed))
        assert end - datetime.now(UTC) > timedelta(days=360)
        assert ends_of_roles(cluster.access(), SITE) == {"watch": end}
        after = cluster.document
        user = after["users"][0]["user"]
        assert base64.b64decode(user["client-key-data"]) == key
        assert after["users"][1:] == before["users"][1:]
        assert {**after, "users": 0} == {**before, "users": 0}
        assert stat.S_IMODE(cluster.file.stat().st_mode) == 0o640
        assert not login.new_key.exists()

    def test_files_become_part_of_it(self, cluster: Cluster) -> None:
        cluster.write(
            [
                {
                    "name": f"watch-{SITE}",
                    "user": {"client-certificate": "../frankfurt.crt", "client-key": "../frankfurt.key"},
                }
            ]
        )
        login = cluster.login()
        login.take(cluster.signs(login.typed()))
        assert set(cluster.document["users"][0]["user"]) == {"client-certificate-data", "client-key-data"}

    def test_one_key_until_it_is_used(self, cluster: Cluster) -> None:
        login = cluster.login()
        first = cluster.signs(login.typed())
        login.typed()
        login.take(first)
        with pytest.raises(RenewalError, match="no such key"):
            login.take(first)

    @pytest.mark.parametrize("group_first", [True, False])
    def test_names_in_any_order(self, cluster: Cluster, *, group_first: bool) -> None:
        """Clusters sign them in an order of their own."""
        login, names = cluster.login(), ["O=shopsphere:watchers", "CN=shopsphere:watch:desk"]
        login.take(cluster.signs(login.typed(), name=",".join(names if group_first else reversed(names))))

    @pytest.mark.parametrize("more", [",O=system:masters", ",CN=shopsphere:watch:desk"])
    def test_another_name_beside(self, cluster: Cluster, more: str) -> None:
        login = cluster.login()
        name = f"O=shopsphere:watchers,CN=shopsphere:watch:desk{more}"
        with pytest.raises(RenewalError, match="take the right one"):
            login.take(cluster.signs(login.typed(), name=name))

    def test_what_is_not_taken(self, cluster: Cluster) -> None:
        login, before = cluster.login(), cluster.file.read_text()
        typed = login.typed()
        with pytest.raises(RenewalError, match=r"CN=admin,O=system:masters"):
            login.take(cluster.signs(typed, name="CN=admin,O=system:masters"))
        with pytest.raises(RenewalError, match="lasts longer than the present one"):
            login.take(cluster.signs(typed, days=9))
        with pytest.raises(RenewalError, match="that of another one"):
            login.take(cluster.pairs["dublin"].certificate)
        for wrong in (cluster.base / "nowhere", cluster.pairs[SITE].key):
            with pytest.raises(RenewalError, match="was not renewed"):
                login.take(wrong)
        assert cluster.file.read_text() == before

    def test_who_has_none(self, cluster: Cluster) -> None:
        with pytest.raises(UsageError, match=r"drift has no kubeconfig of its own\n.*shopsphere:kubeconfigs.drift"):
            RoleLogin.of(cluster.access(), SITE, Role.DRIFT)
        cluster.write([{"name": f"watch-{SITE}", "user": {"token": "t"}}])
        with pytest.raises(RenewalError, match="who logs in otherwise has none to renew"):
            cluster.login().typed()

    def test_the_command(
        self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        said = {"shopsphere:kubeconfig": str(cluster.file), "shopsphere:kubeconfigs": {"watch": str(cluster.file)}}
        monkeypatch.setattr(stack_files, "configuration", lambda _stack: said)
        words = ["policy", "certificate", SITE, "--role", "watch"]
        assert run(words) == 0
        typed = capfd.readouterr().out
        assert run([*words, "--signed", str(cluster.signs(typed))]) == 0
        assert present(ends_of_roles(cluster.access(), SITE)["watch"]) - datetime.now(UTC) > timedelta(days=360)
        assert run(["policy", "certificate", SITE, "--role", "drift"]) == 2


def test_the_lab_renews_its_own_when_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    site = load_topology().site(SITE)
    file = kubeconfig_path(SITE, Role.OPERATE)

    def end() -> datetime:
        return present(
            ends_of_roles(SiteAccess.model_validate({"kubeconfig": "x", "kubeconfigs": {"operate": str(file)}}), SITE)[
                "operate"
            ]
        )

    with monkeypatch.context() as soon:
        soon.setattr(certificates, "LEAF_DAYS", certificates.RENEW_DAYS - 1)
        credentials.prepare(site)
    first = end()
    credentials.prepare(site)
    assert end() - first > timedelta(days=600)
    second = end()
    credentials.prepare(site)
    assert end() == second
