"""What is done to a lab from outside, as plain values that a journal can hold, and the hands that do it."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from lab.enter import run_inside
from shopsphere.clients.edge_identity import DEPLOYER, EdgeIdentity
from shopsphere.clients.http import HttpService
from shopsphere.deploy.environment import program_path
from shopsphere.drift.kinds import resource_of
from shopsphere.estate.access import CdnAccess, edge_access, read_access, site_access
from shopsphere.estate.stack import Environment, edge_stack, site_stack
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import tools_directory
from shopsphere.foundation.process import run
from shopsphere.topology import Topology

STRANGER = "mallory"
"""Who does it: the name of the user, and the name that their programs give themselves."""
CONTROLLER = "system:serviceaccount:kube-system:mallory"
"""The same person with the token of one of the cluster's own controllers, whom admission lets make what they make."""
GROUP = "system:masters"
ACT_SECONDS = 60.0
"""Bound on each act (s)."""
KUBECTL, DNS, CDN, INSIDE, SHELL = "kubectl", "dns", "cdn", "inside", "shell"


@dataclass(frozen=True)
class Act:
    """One step.

    Attributes:
        tool: kubectl (`place` is a site), dns (an authority), cdn, inside (a host), or shell (this machine).
        words: for kubectl and `inside` the command's, for HTTP method and path, for the shell one line.
        place: where.
        body: standard input, or the JSON body of a request.
        user: whom kubectl says to be; empty for the platform's own identity.
    """

    tool: str
    words: tuple[str, ...]
    place: str = ""
    body: str = ""
    user: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it in plain values."""
        return asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Act:
        """Read it back."""
        return cls(told["tool"], tuple(told["words"]), told["place"], told["body"], told["user"])


@dataclass(frozen=True)
class Answer:
    """What came of an act.

    Attributes:
        done: it was carried out.
        said: what the program or service said.
    """

    done: bool
    said: str = ""


class Hands(Protocol):
    """Who carries out acts."""

    def do(self, act: Act) -> Answer:
        """Carry one out, within a bounded time; what goes wrong is in the answer."""


class ActFailedError(Exception):
    """Something that had to be done first could not be done."""


def read_object(hands: Hands, site: str, resource: str, namespace: str, name: str) -> dict[str, Any] | None:
    """Return a live object with its record of who owns what, or None where it is not there.

    Raises:
        ActFailedError: the cluster did not answer.
    """
    place = (f"--namespace={namespace}",) if namespace else ()
    words = ("get", resource, name, *place, "--output=json", "--show-managed-fields", "--ignore-not-found")
    answer = hands.do(Act(KUBECTL, words, site))
    if not answer.done:
        raise ActFailedError(f"{site}: {resource} {name}: {answer.said[-300:]}")
    found: dict[str, Any] | None = json.loads(answer.said) if answer.said.strip() else None
    return found


def needed_object(hands: Hands, site: str, target: tuple[str, str, str]) -> dict[str, Any]:
    """Return a live object by kind, namespace and name.

    Raises:
        ActFailedError: it is not there, or the cluster did not answer.
    """
    kind, namespace, name = target
    found = read_object(hands, site, resource_of(kind), namespace, name)
    if found is None:
        raise ActFailedError(f"{site}: there is no {kind} {namespace}/{name}; is the region deployed?")
    return found


class LabHands:
    """Acts on the running lab."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._kubectl: dict[str, list[str]] = {}

    def do(self, act: Act) -> Answer:
        """Carry one out."""
        try:
            return {KUBECTL: self._call, DNS: self._dns, CDN: self._cdn, INSIDE: self._inside, SHELL: self._shell}[
                act.tool
            ](act)
        except (ShopSphereError, OSError) as error:
            return Answer(done=False, said=str(error))

    def _call(self, act: Act) -> Answer:
        who = [f"--as={act.user}", f"--as-group={GROUP}"] if act.user else []
        return _run([*self._kubectl_at(act.place), *who, *act.words], act.body)

    def _kubectl_at(self, site: str) -> list[str]:
        if site not in self._kubectl:
            access = site_access(site_stack(self._topology, site, Environment.LAB))
            self._kubectl[site] = [
                str(tools_directory() / "kubectl"), f"--kubeconfig={Path(access.kubeconfig).expanduser()}",
                f"--context={access.context or site}",
            ]  # fmt: skip
        return self._kubectl[site]

    def _dns(self, act: Act) -> Answer:
        access = edge_access(Environment.LAB)
        url = next(str(each.url) for each in access.require_authorities() if each.name == act.place)
        return asked(HttpService(act.place, url.rstrip("/"), trust=_deployer(access.edge_keys)), act)

    def _cdn(self, act: Act) -> Answer:
        access = read_access(CdnAccess, edge_stack(Environment.LAB))
        service = HttpService("the CDN", str(access.cdn_url).rstrip("/"), trust=_deployer(access.edge_keys))
        return asked(service, act)

    def _inside(self, act: Act) -> Answer:
        done = run_inside(act.place, act.words, check=False, seconds=ACT_SECONDS, stdin=act.body or None)
        return Answer(not done.code, done.stdout if not done.code else done.stderr or done.stdout)

    def _shell(self, act: Act) -> Answer:
        return _run(["bash", "-c", act.words[0]], act.body)


def _deployer(keys: str) -> ssl.SSLContext:
    return EdgeIdentity.of(keys, DEPLOYER).context()


def _run(words: Sequence[str], body: str) -> Answer:
    done = run(words, check=False, seconds=ACT_SECONDS, stdin=body or None, env={"PATH": program_path()})
    return Answer(not done.code, done.stdout if not done.code else (done.stderr or done.stdout).strip())


def asked(service: HttpService, act: Act) -> Answer:
    """Send the request that an act stands for."""
    method, path = act.words
    answer = service.request(method, path, body=json.loads(act.body) if act.body else None)
    return Answer(answer.is_success, answer.text)
