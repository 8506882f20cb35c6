"""After a deployment: databases healthy, workloads rolled out, public names answered."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from shopsphere.clients.cluster import PART_OF, Cluster
from shopsphere.clients.cluster_errors import ClusterError
from shopsphere.clients.postgres import CLUSTERS, follows
from shopsphere.clients.site_agent import SiteAgentError, agent_address, another_is_active, ask_agent
from shopsphere.clients.site_cluster import cluster_of
from shopsphere.clients.web import Door, PageError, trust_in
from shopsphere.clients.workloads import find_workloads
from shopsphere.deploy.listening import Listener, Noted, step
from shopsphere.estate.access import edge_access, site_access
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.kubectl_line import kubectl_at
from shopsphere.estate.ready_workloads import ReadyWorkload, WorkloadKind, ready_workloads_of
from shopsphere.estate.stack import EVERYTHING, StackId
from shopsphere.foundation.clock import WaitExpiredError, wait_until
from shopsphere.foundation.errors import MayPassError, ShopSphereError, one_line
from shopsphere.status.edge_names import ask_names
from shopsphere.topology import Topology

INTERVAL_SECONDS = 2.0
TELL_SECONDS = 30.0
"""After which a wait says what it waits for, again and again."""
_OBJECT = re.compile(r"(?P<kind>database|deployment|statefulset|job|pod) (?P<namespace>[^/ ]+)/(?P<name>[^: ]+): ")
"""How a line about what is not ready begins."""
_RESOURCES = {"database": "clusters.postgresql.cnpg.io"}
"""What kubectl calls a kind, where it is another word than ours."""


class NotReadyError(ShopSphereError):
    """What was deployed did not become ready in time."""


class SiteLeftError(NotReadyError):
    """What was deployed cannot become ready: its region went on without this site."""


def verify_stacks(
    topology: Topology, target: str, stacks: tuple[StackId, ...], listener: Listener, *, seconds: float
) -> None:
    """Wait until the stacks do their work.

    Args:
        topology: names and client networks for the edge.
        target: what was deployed: the edge must lead to these regions, the others may be down.
        stacks: sites of one region, or the edge.
        listener: is told of the wait.
        seconds: bound for all stacks together.

    Raises:
        NotReadyError: names the objects that are not ready, and their conditions.
        SiteLeftError: a site waits for its rebuild, so that there is nothing else to wait for.
    """
    deadline = time.monotonic() + seconds
    for stack in stacks:
        if stack.site:
            agent = agent_address(site_access(stack), topology.site(stack.site))
            declared = ready_workloads_of(topology, stack)
            problems = partial(_unless_left, stack.label, agent, cluster_of(stack, Role.UP), declared)
        else:
            problems = partial(edge_problems, topology, target, stack)
        with step(listener, stack.label, "ready"):
            await_ready(stack, problems, deadline - time.monotonic(), listener)


def await_ready(stack: StackId, problems: Callable[[], list[str]], seconds: float, listener: Listener) -> None:
    """Wait until nothing is left of a stack's problems, and tell now and then what is.

    Args:
        stack: site or edge.
        problems: says what there is, a line each; asked again and again.
        seconds: how long.
        listener: is told what is waited for, each half minute.

    Raises:
        NotReadyError: there still are some.
    """
    last: list[str] = []
    said = time.monotonic()

    def settled() -> bool:
        nonlocal said
        last[:] = problems()
        if last and time.monotonic() - said > TELL_SECONDS:
            said = time.monotonic()
            more = f", and {len(last) - 1} more" if len(last) > 1 else ""
            listener.tell(Noted(stack.label, f"waits for {one_line(_most_telling(last))}{more}"))
        return not last

    try:
        wait_until(settled, what=f"{stack.label} to be ready", seconds=max(seconds, 0), interval=INTERVAL_SECONDS)
    except WaitExpiredError as error:
        listed = "\n  ".join(last)
        raise NotReadyError(f"{error}\n  {listed}\n  do:       look at it with {_ways_to_look(stack, last)}") from error


def _unless_left(label: str, agent: str, cluster: Cluster, declared: Collection[ReadyWorkload]) -> list[str]:
    """Return the site's problems, unless they are those of a site that was left."""
    found = site_problems(cluster, declared)
    if found:
        with suppress(ClusterError, SiteAgentError):
            databases = cluster.items(CLUSTERS, labelSelector=PART_OF)
            refuse_left(label, databases, ask_agent(agent))
    return found


def refuse_left(label: str, databases: Iterable[Mapping[str, Any]], state: Mapping[str, Any]) -> None:
    """Refuse to wait for a site that was left: its databases lead although another site is active, and stay shut off.

    Args:
        label: of its stack.
        databases: its CloudNativePG clusters.
        state: what its agent says.

    Raises:
        SiteLeftError: the site was left.
    """
    if all(map(follows, databases)) or not another_is_active(state):
        return
    record = state["record"]
    raise SiteLeftError.build(
        f"{label}: deployed, but it cannot become ready: {state['site']} was left",
        expected="the active site of its pair, or a replica of it",
        found=f"databases that still lead, shut off, while {record['active']} is active ({record.get('reason')})",
        action=f"`shopsphere rebuild {state['site']}` makes it a replica; what only it had is kept",
    )


def site_problems(cluster: Cluster, declared: Collection[ReadyWorkload]) -> list[str]:
    """Return one line per database or workload that is not ready.

    Args:
        cluster: the site's API.
        declared: workloads that have to be there.
    """
    try:
        databases = cluster.items(CLUSTERS, labelSelector=PART_OF)
        workloads = find_workloads(partial(cluster.items, labelSelector=PART_OF), declared)
        jobs = cluster.items("/apis/batch/v1/jobs", labelSelector=PART_OF)
    except MayPassError as error:  # any other error ends the verification at once
        return [str(error)]
    of_workloads = (
        f"{each.kind} {each.place}: is not there"
        if each.document is None
        else workload_problem(each.document, each.kind)
        for each in workloads
    )
    judged = [*map(database_problem, databases), *of_workloads, *map(job_problem, jobs)]
    found = [problem for problem in judged if problem]
    return [*found, *_pod_problems(cluster)] if found else []


def edge_problems(topology: Topology, target: str, stack: StackId) -> list[str]:
    """Return one line per public name that is not answered, and per region whose shop does not answer through it."""
    answers = ask_names(topology, stack)
    silent = [f"{answer.name} at {answer.server}: {answer.problem}" for answer in answers if answer.problem]
    if silent:
        return silent
    trusted = edge_access(stack.environment).certificate_authority
    homes = {pair.jurisdiction for pair in topology.pairs.values() if target in (pair.name, EVERYTHING)}
    doors = sorted({(address, each.name) for each in answers if each.asked_for in homes for address in each.addresses})
    return [problem for address, name in doors if (problem := _page_problem(address, name, trusted))]


def database_problem(document: dict[str, Any]) -> str:
    """Say why a CloudNativePG cluster is not healthy; empty when it is."""
    status = document.get("status", {})
    ready = _condition(status, "Ready")
    if ready.get("status") == "True":
        return ""
    phase = status.get("phase", "not looked at by the operator yet")
    reason = status.get("phaseReason") or ready.get("message") or "no condition Ready"
    return f"database {_name(document)}: {phase} ({reason})"


def workload_problem(document: dict[str, Any], kind: WorkloadKind = WorkloadKind.DEPLOYMENT) -> str:
    """Say why a Deployment or a StatefulSet is not rolled out; empty when it is."""
    status = document.get("status", {})
    wanted = document["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < document["metadata"]["generation"]:
        return f"{kind} {_name(document)}: not looked at by its controller yet"
    current, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if current >= wanted and available >= wanted and status.get("replicas", 0) == current:
        return ""
    failing = [c for c in status.get("conditions", []) if (c["type"] == "ReplicaFailure") == (c["status"] == "True")]
    said = "; ".join(f"{c['type']}={c['status']}: {c.get('message', '')}" for c in failing)
    why = f" ({said})" if said else ""  # a StatefulSet has no conditions
    return f"{kind} {_name(document)}: {current} of {wanted} pods are current, {available} available{why}"


def job_problem(document: dict[str, Any]) -> str:
    """Say why a Job has not done its work; empty when it has."""
    failed = _condition(document.get("status", {}), "Failed")
    if failed.get("status") == "True":
        return f"job {_name(document)}: failed ({failed.get('message', '')})"
    done = _condition(document.get("status", {}), "Complete").get("status") == "True"
    return "" if done else f"job {_name(document)}: not complete"


def pod_problem(document: dict[str, Any]) -> str:
    """Say why a pod is not ready; empty when it is, has done its work or is on its way out."""
    status = document["status"]
    finished = status.get("phase") == "Succeeded" or "deletionTimestamp" in document["metadata"]
    if finished or _condition(status, "Ready").get("status") == "True":
        return ""
    states = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    said = [told for each in states if (told := _container_problem(each))]
    scheduled = _condition(status, "PodScheduled")
    if scheduled.get("status") == "False":
        said.append(f"not scheduled: {scheduled.get('message', '')}")
    return f"pod {_name(document)}: {'; '.join(said) or 'no container says why'}"


def _container_problem(container: dict[str, Any]) -> str:
    """Say what a container waits for or died of; empty when it runs, or only waits for those before it."""
    state, last = container.get("state", {}), container.get("lastState", {})
    waiting = state.get("waiting", {})
    ended = state.get("terminated") or last.get("terminated") or {}
    told = []
    if waiting.get("reason", "PodInitializing") != "PodInitializing":
        told.append(f"{waiting['reason']} {waiting.get('message', '')}".strip())
    if ended.get("exitCode"):
        told.append(f"ended with {ended['exitCode']} {ended.get('message', '')}".strip())
    if not told and "running" in state and not container.get("ready"):
        told.append("still running")
    return f"{container['name']}: {', '.join(told)}" if told else ""


def _pod_problems(cluster: Cluster) -> list[str]:
    try:
        pods = cluster.items("/api/v1/pods", labelSelector=PART_OF)
    except ClusterError as error:
        return [str(error)]
    return [problem for pod in pods if (problem := pod_problem(pod))]


def _page_problem(address: str, name: str, authority: Path | None) -> str:
    try:
        Door(address, name, trust_in(authority)).page()
    except PageError as error:
        return str(error)
    return ""


def _most_telling(problems: Sequence[str]) -> str:
    """Return the line of a pod, which says more than who made it, or the first one."""
    return next((each for each in problems if each.startswith("pod ")), problems[0])


def _ways_to_look(stack: StackId, problems: Iterable[str]) -> str:
    """Return the commands with which a person looks at what is not ready: at the first object of a site, and at all."""
    named = list(filter(_OBJECT.match, problems))
    status = f"`shopsphere status {stack.label} --environment {stack.environment}`"
    telling = _OBJECT.match(_most_telling(named)) if named and stack.site else None
    if telling is None:
        return status
    kind = _RESOURCES.get(telling["kind"], telling["kind"])
    described = kubectl_at(stack).line(Role.UP, telling["namespace"], "describe", kind, telling["name"])
    return f"`{described}` and {status}"


def _condition(status: dict[str, Any], kind: str) -> dict[str, Any]:
    conditions: Iterable[dict[str, Any]] = status.get("conditions", [])
    return next((condition for condition in conditions if condition["type"] == kind), {})


def _name(document: dict[str, Any]) -> str:
    return f"{document['metadata']['namespace']}/{document['metadata']['name']}"
