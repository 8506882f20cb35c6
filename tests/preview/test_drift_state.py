"""What Pulumi writes to a state is what the comparison reads, and finds what Pulumi itself does not see."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from kube_api import DEPLOYER, KubeApi
from rbac_of_site import RIGHTS

from shopsphere.deploy import exporting
from shopsphere.deploy.environment import program_path
from shopsphere.drift.looking import judge_site
from shopsphere.drift.model import Kind, SiteDrift
from shopsphere.drift.repair import Repair
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.estate.stack import Environment, StackId
from shopsphere.foundation.process import Result, run

SECONDS = 600


class Applied:
    """The program of tests/preview/applied, deployed to a real API server."""

    def __init__(self, folder: Path, api: KubeApi) -> None:
        self.folder, self.api = folder, api
        shutil.copy(Path(__file__).parent / "applied" / "__main__.py", folder)
        runtime = {"name": "python", "options": {"virtualenv": sys.prefix}}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "applied", "runtime": runtime}))
        for name in ("state", "home"):
            (folder / name).mkdir()
        self.environment = {
            "PATH": program_path(),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase of a test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def pulumi(self, *words: str, check: bool = True) -> Result:
        command = ("pulumi", *words, "--non-interactive", "--color", "never")
        return run(command, check=check, seconds=SECONDS, env=self.environment, cwd=self.folder)

    def deploy(self) -> None:
        self.pulumi("stack", "init", "lab-frankfurt")
        self.pulumi("config", "set", "kubeconfig", self.api.kubeconfig.read_text())
        self.pulumi("config", "set", "context", DEPLOYER)
        self.pulumi("up", "--yes", "--skip-preview")

    def compared(self, monkeypatch: pytest.MonkeyPatch) -> SiteDrift:
        """What the comparison finds, with the state as it reads it."""
        monkeypatch.setattr(exporting, "variables", lambda _stack: self.environment)
        monkeypatch.setattr(StackId, "folder", property(lambda _stack: self.folder))
        stack = StackId("rdc-a", "frankfurt", "eu", Environment.LAB)
        repair = Repair("frankfurt", "lab", SiteKubectl(str(self.api.kubeconfig), DEPLOYER))
        return judge_site(exporting.exported_state(stack), self.api.cluster(), repair, RIGHTS)


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    api = KubeApi(tmp_path_factory.mktemp("kube"))
    try:
        api.start()
        project = Applied(tmp_path_factory.mktemp("applied"), api)
        project.deploy()
        yield project
    finally:
        api.stop()


@pytest.mark.requirement("drift that Pulumi does not report is found")
def test_additions_are_found_that_pulumi_does_not_see(applied: Applied, monkeypatch: pytest.MonkeyPatch) -> None:
    clean = applied.compared(monkeypatch)
    assert (clean.drifts, clean.unseen) == ((), ())
    assert clean.declared > 4, "with what programs may do, where the owner of the cluster has given them roles"

    applied.api.kubectl("scale", "deployment", "shop", "--replicas=3", "--namespace=shop")
    assert applied.compared(monkeypatch).drifts == ()  # left to the run time, as the role of a database is
    applied.api.kubectl("scale", "deployment", "shop", "--replicas=2", "--namespace=shop")

    # At the end of their lists: what is put before the declared element, Pulumi takes for a change of that one.
    containers = "/spec/template/spec/containers/-"
    tap = [{"op": "add", "path": containers, "value": {"name": "tap", "image": "evil/tap"}}]
    out = [{"op": "add", "path": "/spec/egress/-", "value": {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}}]
    patch = ("patch", "--namespace=shop")
    applied.api.kubectl(*patch, "deployment", "shop", "--type=json", f"--patch={json.dumps(tap)}")
    applied.api.kubectl(*patch, "networkpolicy", "to-dns", "--type=json", f"--patch={json.dumps(out)}")
    refresh = applied.pulumi("refresh", "--preview-only", "--expect-no-changes", check=False)
    preview = applied.pulumi("preview", "--refresh", "--expect-no-changes", check=False)
    assert (refresh.code, preview.code) == (0, 0), refresh.stdout + preview.stdout
    found = {(each.object, each.field): each for each in applied.compared(monkeypatch).drifts}
    assert {place: each.kind for place, each in found.items()} == {
        ("Deployment shop/shop", "spec.template.spec.containers[name=tap]"): Kind.ADDED,
        ("NetworkPolicy shop/to-dns", "spec.egress[1]"): Kind.ADDED,
    }
    assert {each.author.manager for each in found.values() if each.author} == {"kubectl-patch"}


def test_a_changed_secret_is_found_and_never_shown(applied: Applied, monkeypatch: pytest.MonkeyPatch) -> None:
    stolen = {"data": {"KEY": "c3RvbGVu"}}
    applied.api.kubectl("patch", "--namespace=shop", "secret", "settings", f"--patch={json.dumps(stolen)}")
    (found,) = [each for each in applied.compared(monkeypatch).drifts if each.object == "Secret shop/settings"]
    assert (found.field, found.kind, found.declared, found.live) == (
        "data.KEY",
        Kind.CHANGED,
        "a secret value",
        "a secret value",
    )
