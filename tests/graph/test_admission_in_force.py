"""What runs an image is made when the API server has read the policies that say which images may run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub
from site_graph import build

from components import settling
from components.admission import Admission

IMAGE, NAMES = "registry.example/shop:1", ["shopsphere-migrations"]


class Known:
    """An output that is known; Pulumi's own are of one event loop, and it waits for all there ever were."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def apply(self, change: Callable[[Any], Any]) -> Known:
        found = change(self.value)
        return Known(asyncio.run(found) if asyncio.iscoroutine(found) else found)

    @staticmethod
    def all(*parts: Any) -> Known:
        return Known([part.value if isinstance(part, Known) else part for part in parts])


def waited(monkeypatch: pytest.MonkeyPatch, *, engine: bool, preview: bool, of: str = "image") -> tuple[Any, float]:
    """What comes out for an image, or for what depends on the policies, and after how long."""
    monitor = ResourceMonitorStub.__new__(ResourceMonitorStub) if engine else None
    monkeypatch.setattr(settling, "get_monitor", lambda: monitor)
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: preview)
    monkeypatch.setattr(pulumi, "Output", Known)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    found = Admission.__new__(Admission)
    found.policies = Known(NAMES)  # type: ignore[assignment] # it stands in for Pulumi's
    value: Any = found.in_force(IMAGE) if of == "image" else found.asked
    value = ["the policies" if each is found else each for each in _known(value)] if of == "asked" else value
    return _known(value), sum(slept)


def _known(value: Any) -> Any:
    return value.value if isinstance(value, Known) else value


def test_an_image_is_there_when_the_policies_are_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waited(monkeypatch, engine=True, preview=False) == (IMAGE, 3)


@pytest.mark.parametrize(("engine", "preview"), [(True, True), (False, False)])
def test_what_makes_nothing_waits_for_nothing(monkeypatch: pytest.MonkeyPatch, engine: bool, preview: bool) -> None:
    assert waited(monkeypatch, engine=engine, preview=preview) == (IMAGE, 0)


def test_each_image_waits_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Admission, "in_force", lambda _, value: f"{value}-waited")
    specs = [each.state["spec"] for each in build("rdc-a", "lab-frankfurt").objects if "spec" in each.state]
    pods = [spec["template"]["spec"] for spec in specs if "template" in spec]
    images = [container["image"] for pod in pods for part in pod.values() for container in _with_image(part)]
    images += [spec["imageName"] for spec in specs if "imageName" in spec]
    assert len(images) > 5
    assert [image for image in images if not image.endswith("-waited")] == []


def test_the_rights_of_agents_and_programs_wait_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Admission, "asked", property(lambda self: pulumi.Output.from_input([self])))
    graph = build("rdc-a", "lab-frankfurt")
    bindings = graph.of("RoleBinding")
    agents = [each for each in bindings if each.state["metadata"]["name"] == "site-agent"]
    policies = {each.urn for each in graph.objects if each.kind.startswith("ValidatingAdmissionPolicy")}
    assert {each.state["metadata"]["namespace"] for each in agents} == {"data-commerce", "data-ledger"}
    assert policies
    assert len(bindings) > len(agents)
    assert [each.urn for each in bindings if policies - set(each.after)] == []


def test_what_depends_on_them_is_made_when_they_are_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waited(monkeypatch, engine=True, preview=False, of="asked") == (["the policies"], 3)
    assert waited(monkeypatch, engine=True, preview=True, of="asked") == (["the policies"], 0)
    assert waited(monkeypatch, engine=False, preview=False, of="asked") == (["the policies"], 0)


def _with_image(part: Any) -> list[Any]:
    return [each for each in part if "image" in each] if isinstance(part, list) else []
