"""Builds a site's stack against Pulumi mocks and hands out its resource graph."""

import asyncio
import functools
import json
import runpy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Never

import yaml
from kubeconfigs import kubeconfig
from pulumi.runtime import mocks, set_all_config, set_mocks
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs
from pulumi.runtime.stack import run_pulumi_func
from unplaced import without_source_positions

from components.stack_config import SITE_SECRET_NAMES
from shopsphere.estate.pair_secrets import generate_pair_secrets
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
}


@dataclass(frozen=True)
class Registered:
    """One resource as the engine was asked for it."""

    type: str
    name: str
    state: dict[str, Any]
    provider: str
    parent: str
    ignored: tuple[str, ...]
    is_protected: bool = False
    after: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return self.type.rpartition(":")[2]

    @property
    def labels(self) -> dict[str, str]:
        labels: dict[str, str] = self.state["metadata"].get("labels", {})
        return labels

    @property
    def namespace(self) -> str | None:
        namespace: str | None = self.state["metadata"].get("namespace")
        return namespace

    @property
    def key(self) -> tuple[str, str | None, str]:
        return (self.kind, self.namespace, self.state["metadata"]["name"])


@dataclass
class Graph:
    """All resources of a stack."""

    resources: list[Registered] = field(default_factory=list)

    @property
    def objects(self) -> list[Registered]:
        """What exists in the cluster."""
        return [each for each in self.resources if each.type.startswith("kubernetes:")]

    def of(self, kind: str) -> list[Registered]:
        return [each for each in self.objects if each.kind == kind]

    def get(self, kind: str, namespace: str, name: str) -> dict[str, Any]:
        (found,) = [each for each in self.objects if each.key == (kind, namespace, name)]
        return found.state


SiteGraph = tuple[str, str, Graph]
"""Project, name of the site, graph."""
GraphOf = Callable[[str, str], Graph]
"""The graph of a project's stack."""


class Recorder(mocks.Mocks):
    """Everything comes back as it was asked for; an image has the digest that a push gives it."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        digest = {"repoDigest": f"{args.inputs['imageName']}@sha256:0"} if args.typ.startswith("docker:") else {}
        return f"{args.name}-id", {**args.inputs, **digest}

    def call(self, args: MockCallArgs) -> Never:
        raise AssertionError(f"a site calls nothing: {args.token}")


class RecordingMonitor(mocks.MockMonitor):
    """Keeps what the plain mock monitor forgets: provider, parent and ignored fields."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(Recorder())
        self.graph = graph

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 the name of the call, whose messages have no types
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call] # Pulumi gives no types here
        registered = self.resources.get(response.urn)
        if registered is not None:
            self.graph.resources.append(
                Registered(
                    type=request.type,
                    name=request.name,
                    state=registered.state,
                    provider=request.provider,
                    parent=request.parent,
                    ignored=tuple(request.ignoreChanges),
                    is_protected=request.protect,
                    after=tuple(request.dependencies),
                )
            )
        return response


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
    return {**made, "gatewayTlsCertificate": "certificate of the public names", "gatewayTlsKey": "its key"}


def complete_config(project: str, stack: str) -> dict[str, Any]:
    """Return the configuration as `up` would see it: placeholders filled in, the machine's part and secrets added."""
    filled = {
        key: _filled(value, key.removeprefix("shopsphere:")) for key, value in committed_config(project, stack).items()
    }
    secrets = {f"shopsphere:{key}": value for key, value in secrets_of(project).items()}
    return {**filled, "shopsphere:kubeconfig": kubeconfig_of(stack), **secrets}


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
            return value.replace(PLACEHOLDER, FILLED.get(key, "registry.example"))
        case _:
            return value


def build(
    project: str, stack: str, config: dict[str, Any] | None = None, *, plain_secrets: tuple[str, ...] = ()
) -> Graph:
    """Run the stack's own `__main__.py` and return its graph."""
    graph = Graph()
    values = complete_config(project, stack) if config is None else config
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    names = (*SITE_SECRET_NAMES, "registryPassword", "pspApiKey")
    encrypted = [f"shopsphere:{key}" for key in names if key not in plain_secrets]
    # One loop for registrations and for waiting for them; the mocks register the stack as soon as they are set.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        set_mocks(Recorder(), project=project, stack=stack, monitor=RecordingMonitor(graph), preview=False)
        set_all_config(texts, encrypted)
        program = STACKS / project / "__main__.py"

        def run_program() -> None:
            runpy.run_path(str(program), run_name="__main__")

        with without_source_positions():
            loop.run_until_complete(run_pulumi_func(run_program))
    finally:
        loop.close()
    return graph
