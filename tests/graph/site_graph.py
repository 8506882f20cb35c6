"""Builds a site's stack against Pulumi mocks and hands out its resource graph."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import yaml
from kubeconfigs import kubeconfig
from own_authority import authority_of_tests
from unplaced import without_source_positions

from shopsphere.deploy.declared_graph import Graph, declared_by
from shopsphere.estate.event_log import EVENT_LOG_SECRET_NAMES, PASSWORD
from shopsphere.estate.event_log_secrets import generate_event_log_secrets
from shopsphere.estate.pair_secrets import ARCHIVE_SECRET_NAMES, SITE_SECRET_NAMES, generate_pair_secrets
from shopsphere.foundation.paths import STACKS
from shopsphere.topology import load_topology

PLACEHOLDER = "REPLACE_ME"
FILLED = {
    "stateBackend": "s3://state-of-this-jurisdiction",
    "context": "production",
    "path": "/srv/data",
    "pspUrl": "https://psp.example",
    "pspApiKey": "sk_of_a_test",
    "tok_card": "Credit card",
    "pspNetworks": "192.0.2.0/24",
    "archiveRecipient": "age1ofthetests",
    "cdnAuthority": authority_of_tests(),
}


SiteGraph = tuple[str, str, Graph]
"""Project, name of the site, graph."""
GraphOf = Callable[[str, str], Graph]
"""The graph of a project's stack."""


def committed_stacks() -> list[tuple[str, str]]:
    """Return (project, stack) of every stack file in the repository."""
    lab = [(file.parent.name, file.name.removesuffix(".base.yaml")) for file in STACKS.glob("*/lab-*.base.yaml")]
    prod = [
        (file.parent.name, file.name[len("Pulumi.") : -len(".yaml")]) for file in STACKS.glob("*/Pulumi.prod-*.yaml")
    ]
    return sorted(lab + prod)


def committed_config(project: str, stack: str) -> dict[str, Any]:
    """Return the configuration as it stands in the repository."""
    name = f"{stack}.base.yaml" if stack.startswith("lab-") else f"Pulumi.{stack}.yaml"
    config: dict[str, Any] = yaml.safe_load((STACKS / project / name).read_text())["config"]
    return config


@functools.cache
def secrets_of(project: str) -> dict[str, str]:
    if project == "hq":
        return {}
    made = generate_pair_secrets(load_topology(), project)
    made |= {name: f"{name} of the tests" for name in ARCHIVE_SECRET_NAMES}
    return {**made, "gatewayTlsCertificate": "certificate of the public names", "gatewayTlsKey": "its key"}


@functools.cache
def event_log_secrets_of(project: str) -> dict[str, str]:
    """Return the certificates of a pair's own brokers."""
    return generate_event_log_secrets(project)


def complete_config(project: str, stack: str, pair_secrets: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the configuration as `up` would see it: placeholders filled in, the machine's part and secrets added.

    Args:
        project: the stack's project.
        stack: Pulumi's name of it.
        pair_secrets: secrets by their short names; made where none are given.
    """
    filled = {
        key: _filled(value, key.removeprefix("shopsphere:")) for key, value in committed_config(project, stack).items()
    }
    own = secrets_of(project) if pair_secrets is None else pair_secrets
    of_log = event_log_secrets_of(project) if "size" in filled.get("shopsphere:kafka", {}) else {}
    secrets = {f"shopsphere:{key}": value for key, value in {**own, **of_log}.items()}
    machine = {"shopsphere:kubeconfig": kubeconfig_of(stack)}
    if project != "hq":
        machine["shopsphere:archiveRecipient"] = FILLED["archiveRecipient"]
        machine["shopsphere:cdnAuthority"] = FILLED["cdnAuthority"]
    return {**filled, **machine, **secrets}


def kubeconfig_of(stack: str) -> str:
    """Return a kubeconfig, in place of its path, that leads to the site of a stack."""
    environment, _, site = stack.partition("-")
    server = f"https://{load_topology(environment=environment).site(site).address}:6443"
    context = site if environment == "lab" else FILLED["context"]
    return yaml.safe_dump(kubeconfig(context, server))


def _filled(value: Any, key: str) -> Any:
    match value:
        case dict():
            return {name: _filled(entry, name) for name, entry in value.items()}
        case list():
            return [_filled(entry, key) for entry in value]
        case str() if PLACEHOLDER in value:
            value = value.replace(f"sha256:{PLACEHOLDER}", f"sha256:{'0' * 64}")
            return value.replace(PLACEHOLDER, FILLED.get(key, "registry.example"))
        case _:
            return value


def build(
    project: str, stack: str, config: dict[str, Any] | None = None, *, plain_secrets: tuple[str, ...] = ()
) -> Graph:
    """Run the stack's own `__main__.py` and return its graph."""
    values = complete_config(project, stack) if config is None else config
    names = (
        *SITE_SECRET_NAMES,
        *ARCHIVE_SECRET_NAMES,
        "registryPassword",
        "pspApiKey",
        *EVENT_LOG_SECRET_NAMES,
        PASSWORD,
    )
    encrypted = [f"shopsphere:{key}" for key in names if key not in plain_secrets]
    with without_source_positions():
        return declared_by(
            STACKS / project / "__main__.py", project=project, stack=stack, config=values, encrypted=encrypted
        )
