"""A role's certificate is renewed at a real cluster: its owner runs what the command printed."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from free_port import free_port
from kube_api import DEPLOYER, KubeApi

from shopsphere.clients.role_renewal import RoleLogin
from shopsphere.estate.access import SiteAccess
from shopsphere.estate.cluster_role import Role, subject
from shopsphere.foundation import certificates
from shopsphere.foundation.certificates import KeyPair, end_of, issue, new_authority
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import tools_directory
from shopsphere.foundation.process import run

SITE, NAME = "frankfurt", subject(Role.OPERATE, "anna")


class Signing(KubeApi):
    """Believes certificates of its own authority, and signs what was approved."""

    def __init__(self, folder: Path) -> None:
        self.authority = new_authority(folder, "cluster")
        super().__init__(folder, f"--client-ca-file={self.authority.certificate}")

    def sign(self) -> None:
        self._spawn(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig}",
            "--controllers=certificatesigningrequest-signing-controller",
            f"--cluster-signing-cert-file={self.authority.certificate}",
            f"--cluster-signing-key-file={self.authority.key}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
            f"--cert-dir={self.folder / 'certificates-of-controllers'}",
        )

    def kubeconfig_of(self, file: Path, user: dict[str, str]) -> Path:
        """Write a kubeconfig with one context, the site's."""
        document = yaml.safe_load(self.kubeconfig.read_text())
        document["users"] = [{"name": "who", "user": user}]
        document["contexts"] = [{"name": SITE, "context": {"cluster": "site", "user": "who"}}]
        document["current-context"] = SITE
        file.write_text(yaml.safe_dump(document))
        file.chmod(0o640)
        return file


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Signing]:
    started = Signing(tmp_path)
    try:
        started.start()
        started.sign()
        yield started
    finally:
        started.stop()


@pytest.mark.requirement("certificates of roles are told before they end, and renewed without an outage")
def test_what_the_command_prints_is_what_the_owner_types(
    cluster: Signing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "LEAF_DAYS", 5)
    files = KeyPair(tmp_path / "anna.crt", tmp_path / "anna.key")
    issue(cluster.authority, files, common_name=NAME, organisation=Role.OPERATE.group)
    data = {
        "client-certificate-data": base64.b64encode(files.certificate.read_bytes()).decode(),
        "client-key-data": base64.b64encode(files.key.read_bytes()).decode(),
    }
    own = cluster.kubeconfig_of(tmp_path / "operate.kubeconfig", data)
    access = SiteAccess.model_validate({"kubeconfig": "up.kubeconfig", "kubeconfigs": {"operate": str(own)}})
    login = RoleLogin.of(access, SITE, Role.OPERATE)
    assert who(own) == (NAME, Role.OPERATE.group)

    owners = cluster.kubeconfig_of(tmp_path / "owner.kubeconfig", {"token": DEPLOYER})
    desk = tmp_path / "desk"
    desk.mkdir()
    path = f"{tools_directory()}:{os.environ['PATH']}"
    typed = login.typed()
    assert "kubectl --kubeconfig KUBECONFIG-OF-THE-CLUSTERS-OWNER --context " in typed
    typed = typed.replace("KUBECONFIG-OF-THE-CLUSTERS-OWNER", str(owners))
    script = f"set -euo pipefail\ncd {desk}\n{typed}"
    run(["bash", "-s"], stdin=script, seconds=120, env={"KUBECONFIG": str(owners), "PATH": path})
    (signed,) = desk.glob("*.crt")

    end = login.take(signed)
    assert end == end_of(signed)
    assert end - datetime.now(UTC) > timedelta(days=300)
    assert who(own) == (NAME, Role.OPERATE.group), "with the new key"


def who(kubeconfig: Path) -> tuple[str, str]:
    """Return user and first group by which the cluster knows whoever has this kubeconfig."""
    form = "jsonpath={.status.userInfo.username} {.status.userInfo.groups[0]}"
    kubectl = str(tools_directory() / "kubectl")
    words = [kubectl, f"--kubeconfig={kubeconfig}", "auth", "whoami", "-o", form]

    def asked() -> list[str]:
        return run(words, seconds=60, check=False).stdout.split()

    # Everybody may ask that, once the API server has made its own roles.
    wait_until(asked, what="the roles of the API server", seconds=60)
    name, group = asked()
    return name, group
