"""A whole site of a pair, deployed by Pulumi's engine and provider as the role `up`, at a real API server.

There are no nodes and no controllers: what would wait for them is told not to. So this shows each request that a
deployment and a refresh make, apart from those with which it waits for pods; a removal would wait for controllers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from admitting_api import applied
from kube_api import KubeApi, api_with_databases
from site_graph import complete_config, event_log_secrets_of, secrets_of

from policies.admission.printed import rights
from shopsphere.deploy.environment import program_path
from shopsphere.estate.cluster_rights import way_in_for_up
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.stack import Environment
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import Result, run
from shopsphere.topology import load_topology

SITE, STACK = "frankfurt", "lab-frankfurt"
MODEL = load_topology(environment="lab")
SECONDS = 600
PROGRAM = """
import sys

sys.path.insert(0, "{repository}")

import pulumi

from components.site import build_regional_site


def waits_for_nothing(args):
    if not args.type_.startswith("kubernetes:") or not args.props.get("metadata"):
        return None
    metadata = dict(args.props["metadata"])
    metadata["annotations"] = {{**(metadata.get("annotations") or {{}}), "pulumi.com/skipAwait": "true"}}
    return pulumi.ResourceTransformationResult({{**args.props, "metadata": metadata}}, args.opts)


pulumi.runtime.register_stack_transformation(waits_for_nothing)
build_regional_site()
"""


class Deployed:
    """The stack's project in a folder of its own."""

    def __init__(self, folder: Path, api: KubeApi) -> None:
        self.folder = folder
        (folder / "__main__.py").write_text(PROGRAM.format(repository=REPOSITORY))
        project = yaml.safe_load((REPOSITORY / "stacks" / "rdc-a" / "Pulumi.yaml").read_text())
        project["runtime"] = {"name": "python", "options": {"virtualenv": sys.prefix}}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
        for name in ("state", "home"):
            (folder / name).mkdir()
        own = secrets_of("rdc-a") | event_log_secrets_of("rdc-a")
        secrets = {f"shopsphere:{name}": value for name, value in own.items()}
        config: dict[str, Any] = complete_config("rdc-a", STACK)
        config |= {"shopsphere:kubeconfig": str(api.kubeconfig), "shopsphere:context": str(Role.UP)}
        self.environment = {
            "PATH": program_path(),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase of a test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        self.pulumi("stack", "init", STACK)
        known = yaml.safe_load((folder / f"Pulumi.{STACK}.yaml").read_text())
        plain = {name: value for name, value in config.items() if name not in secrets}
        (folder / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({**known, "config": plain}))
        words = [word for name, value in secrets.items() for word in ("--secret", f"{name}={value}")]
        self.pulumi("config", "set-all", *words)

    def pulumi(self, *words: str, check: bool = True) -> Result:
        command = ("pulumi", *words, "--non-interactive", "--color", "never")
        return run(command, check=check, seconds=SECONDS, env=self.environment, cwd=self.folder)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with api_with_databases(tmp_path_factory.mktemp("kube"), {str(role): role.group for role in Role}) as api:
        applied(api, [*rights(MODEL, SITE, Environment.LAB), *way_in_for_up(MODEL, SITE, event_log=True)])
        yield Deployed(tmp_path_factory.mktemp("project"), api)


@pytest.mark.requirement("up deploys a whole site, and is no administrator of its cluster")
def test_pulumi_makes_and_refreshes_a_site_as_up(deployed: Deployed) -> None:
    made = deployed.pulumi("up", "--yes", "--skip-preview", check=False)
    assert made.code == 0, made.stdout[-6000:]
    assert "forbidden" not in made.stdout
    again = deployed.pulumi("preview", "--refresh", "--diff", check=False)
    assert again.code == 0, again.stdout[-6000:]
