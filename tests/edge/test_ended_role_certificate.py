"""A role's certificate ends while a program asks a real API server; it is renewed though it has ended."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from edge_network import own_network
from short_lived import ends_within, wait_for_end

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import Asker, ClusterError, RefusedError
from shopsphere.clients.kubeconfig_ends import ends_of_roles
from shopsphere.clients.role_renewal import RoleLogin
from shopsphere.estate.access import SiteAccess
from shopsphere.estate.cluster_role import Role, subject
from shopsphere.foundation.certificates import KeyPair, certificate_builder, issue, new_authority
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import tools_directory

ADDRESS, PORT, SITE = "10.95.0.1", 6443, "frankfurt"


@contextmanager
def api_server(base: Path, authority: KeyPair) -> Iterator[None]:
    """A real API server with its store; who has a certificate of the authority may ask anything."""
    served = issue(authority, KeyPair(base / "api.crt", base / "api.key"), common_name="api", alternatives=(ADDRESS,))
    tools, store = tools_directory(), f"http://{ADDRESS}:2379"
    commands: list[list[str | Path]] = [
        [
            tools / "etcd", f"--data-dir={base / 'store'}", f"--listen-client-urls={store}",
            f"--advertise-client-urls={store}", "--listen-peer-urls=http://127.0.0.1:2380", "--unsafe-no-fsync",
        ],
        [
            tools / "kube-apiserver", f"--etcd-servers={store}", f"--bind-address={ADDRESS}",
            f"--advertise-address={ADDRESS}", f"--secure-port={PORT}", f"--tls-cert-file={served.certificate}",
            f"--tls-private-key-file={served.key}", f"--client-ca-file={authority.certificate}",
            f"--service-account-issuer=https://{ADDRESS}", f"--service-account-key-file={served.certificate}",
            f"--service-account-signing-key-file={served.key}", "--service-cluster-ip-range=10.94.0.0/24",
            "--authorization-mode=AlwaysAllow", "--endpoint-reconciler-type=none",
        ],
    ]  # fmt: skip
    with (base / "api.log").open("wb") as log:
        running = [subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True) for words in commands]
        try:
            yield
        finally:
            for each in running:
                each.kill()
                each.wait(10)


def written(base: Path, authority: KeyPair, pair: KeyPair) -> Path:
    """Return a kubeconfig with this certificate in it."""
    file = base / "watch.kubeconfig"
    believed = "certificate-authority-data"
    files = {believed: authority.certificate, "client-certificate-data": pair.certificate, "client-key-data": pair.key}
    data = {name: base64.b64encode(each.read_bytes()).decode() for name, each in files.items()}
    trusted = {"server": f"https://{ADDRESS}:{PORT}", believed: data.pop(believed)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": SITE,
        "clusters": [{"name": SITE, "cluster": trusted}],
        "users": [{"name": "watch", "user": data}],
        "contexts": [{"name": SITE, "context": {"cluster": SITE, "user": "watch"}}],
    }
    file.write_text(yaml.safe_dump(document))
    file.chmod(0o600)
    return file


def signed(typed: str, authority: KeyPair, base: Path) -> Path:
    """Do what the cluster does with what its owner has typed."""
    asked = yaml.safe_load(typed.partition("<<'END'\n")[2].partition("END\n")[0])
    request = x509.load_pem_x509_csr(base64.b64decode(asked["spec"]["request"]))
    signer, public = serialization.load_pem_private_key(authority.key.read_bytes(), None), request.public_key()
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    issuer = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    begin, end = issuer.not_valid_before_utc, issuer.not_valid_after_utc
    made = certificate_builder(request.subject, issuer.subject, public, begin, end)
    file = base / "signed.crt"
    file.write_bytes(made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return file


@pytest.mark.requirement("a role's certificate that has ended is told as that, and renewed with the documented command")
def test_a_role_s_certificate_ends(tmp_path: Path) -> None:
    authority = new_authority(tmp_path, "cluster")
    pair = issue(authority, KeyPair(tmp_path / "watch.crt", tmp_path / "watch.key"),
                 common_name=subject(Role.WATCH, "desk"), organisation=Role.WATCH.group)  # fmt: skip
    with own_network([ADDRESS]), api_server(tmp_path, authority):
        good = Cluster(written(tmp_path, authority, pair), SITE, seconds=5)
        wait_until(lambda: answers(good), what="the API server", seconds=120, interval=0.5)
        ends_within(tmp_path, "watch", 4)
        file = written(tmp_path, authority, pair)
        asking = Cluster(file, SITE, seconds=5, asker=Asker("watch", str(file), SITE, "prod"))
        assert answers(asking)
        wait_for_end(pair.certificate)
        with pytest.raises(RefusedError) as refused:  # on the same line: it looks at the certificate each time
            asking.get("/api/v1/namespaces/default")
        assert "watch.kubeconfig ENDED" in str(refused.value)
        assert "`shopsphere policy certificate frankfurt --role watch`" in str(refused.value)
        access = SiteAccess.model_validate({"kubeconfig": "/nowhere", "kubeconfigs": {"watch": str(file)}})
        assert ends_of_roles(access, SITE)["watch"] is not None

        login = RoleLogin.of(access, SITE, Role.WATCH)
        login.take(signed(login.typed(), authority, tmp_path))
        assert answers(Cluster(file, SITE, seconds=5))


def answers(cluster: Cluster) -> bool:
    try:
        cluster.get("/api/v1/namespaces/default")
    except ClusterError:
        return False
    return True
