"""What a stack's program declares, without Pulumi's engine: the program runs, and each registration is written down."""

from __future__ import annotations

import asyncio
import json
import logging
import runpy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Never

from pulumi.runtime import mocks, set_all_config, set_mocks
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs
from pulumi.runtime.stack import run_pulumi_func

QUIET = logging.getLogger("shopsphere.declared_graph")
"""Takes what the engine would log; an error is raised as well, and told by whoever asked."""
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


@dataclass(frozen=True)
class Registered:
    """One resource as the engine was asked for it.

    Attributes:
        type: Pulumi's type, as in kubernetes:apps/v1:Deployment.
        name: Pulumi's name of it.
        state: its inputs; empty for components.
        provider: reference of the provider that creates it; empty where it has none of its own.
        parent: URN of the component that it belongs to.
        ignored: properties whose changes are ignored.
        is_protected: whether it may not be removed.
        urn: Pulumi's unique name of it.
        after: URNs of what it waits for.
    """

    type: str
    name: str
    state: dict[str, Any]
    provider: str
    parent: str
    ignored: tuple[str, ...]
    is_protected: bool = False
    urn: str = ""
    after: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Kind, as in Deployment."""
        return self.type.rpartition(":")[2]

    @property
    def labels(self) -> dict[str, str]:
        """Labels of an object of a cluster."""
        labels: dict[str, str] = self.state["metadata"].get("labels", {})
        return labels

    @property
    def namespace(self) -> str | None:
        """Namespace of an object of a cluster."""
        namespace: str | None = self.state["metadata"].get("namespace")
        return namespace

    @property
    def key(self) -> tuple[str, str | None, str]:
        """Kind, namespace and name of an object of a cluster."""
        return (self.kind, self.namespace, self.state["metadata"]["name"])


@dataclass
class Graph:
    """All resources of a stack, in the order of their registration."""

    resources: list[Registered] = field(default_factory=list)

    @property
    def objects(self) -> list[Registered]:
        """What exists in the cluster."""
        return [each for each in self.resources if each.type.startswith("kubernetes:")]

    def of(self, kind: str) -> list[Registered]:
        """Return the objects of a kind."""
        return [each for each in self.objects if each.kind == kind]

    def get(self, kind: str, namespace: str, name: str) -> dict[str, Any]:
        """Return what is declared of one object."""
        (found,) = [each for each in self.objects if each.key == (kind, namespace, name)]
        return found.state


class _Echo(mocks.Mocks):
    """Everything comes back as it was asked for; an image has the digest that a push gives it."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        digest = {"repoDigest": f"{args.inputs['imageName']}@sha256:0"} if args.typ.startswith("docker:") else {}
        return f"{args.name}-id", {**args.inputs, **digest}

    def call(self, args: MockCallArgs) -> Never:
        raise AssertionError(f"a stack calls nothing: {args.token}")


class _RecordingMonitor(mocks.MockMonitor):
    """Keeps what the plain mock monitor forgets: provider, parent and ignored fields."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(_Echo())
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
                    urn=response.urn,
                    after=tuple(request.dependencies),
                )
            )
        return response


def declared_by(
    program: Path | Callable[[], None],
    *,
    project: str,
    stack: str,
    config: Mapping[str, Any],
    encrypted: Iterable[str] = (),
) -> Graph:
    """Run a program as Pulumi would, and return all that it declares.

    Pulumi's configuration and its mocks are one for the whole process: call it from one thread at a time. The
    configuration is taken away again; the mocks stay until the next call.

    Args:
        program: a `__main__.py`, or a function that declares resources.
        project: Pulumi's name of the project.
        stack: Pulumi's name of the stack.
        config: the stack's configuration, plain values by their whole keys.
        encrypted: keys of `config` whose values are secret.

    Raises:
        pulumi.RunError: the program refuses its configuration; the message says why.
    """
    graph = Graph()
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}

    def run_program() -> None:
        if isinstance(program, Path):
            runpy.run_path(str(program), run_name="__main__")
        else:
            program()

    # One loop for registrations and for waiting for them; the mocks register the stack as soon as they are set.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        monitor = _RecordingMonitor(graph)
        set_mocks(_Echo(), project=project, stack=stack, monitor=monitor, preview=False, logger=QUIET)
        set_all_config(texts, list(encrypted))
        loop.run_until_complete(run_pulumi_func(run_program))
    finally:
        set_all_config({}, [])
        loop.close()
    return graph
