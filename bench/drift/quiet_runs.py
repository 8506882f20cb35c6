"""Twelve looks under load while things change that may: none of them is drift."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parents[1] / "safety"))

from customers import Customers, fill_stock
from findings import SHOPSPHERE, Look, look
from result_lines import Lines

from lab import pki
from lab.cluster.addons import kubectl
from lab.hosts import client_host
from lab.paths import pki_directory
from shopsphere.deploy.environment import pack_variables, variables
from shopsphere.deploy.programs import find_program
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import run
from shopsphere.topology import Topology

LOOKS = 12
CHANGE_SECONDS = 1200.0
"""Bound on each change (s): a deployment of a site, or a drill there and back."""
LOAD_SECONDS = 900
"""So long customers come at most during one change (s)."""
_AUTOSCALER = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
_SCALE = "/apis/apps/v1/namespaces/shop/deployments/shop/scale?fieldManager=kube-controller-manager"
_BOUNDS = {"minimum": "2", "maximum": "4", "cpuPercent": "60"}
_CONFIG = "shopsphere:workloads.shop.autoscaling"
_WORKLOADS = ("shop", "payments", "gateway")

Moment = tuple[str, bool]
"""What is going on, and whether a role is being moved: only then may something be unknown."""


class Quiet:
    """A run.

    Args:
        topology: of the lab.
        region: the pair.
        site: its active site when the run begins.
        lines: where results go.
    """

    def __init__(self, topology: Topology, region: str, site: str, lines: Lines) -> None:
        self._topology, self._region, self._site, self._lines = topology, region, site, lines
        self._is_scaled, self._idle = False, 0

    def run(self) -> int:
        """Look twelve times; returns 1 where a look made noise, one was not made, or nobody could order meanwhile."""
        fill_stock(self._site)
        began, noise, number = time.monotonic(), 0, 0
        for change in (self._autoscaler, self._rollout, self._certificate, self._deaths, self._drill):
            with self._load():
                for moment in change():
                    number += 1
                    result = judged(moment, number, look(self._region))
                    noise += not result["is_quiet"]
                    self._lines.write(result)
                    told = {key: result[key] for key in ("change", "code", "findings", "unseen")}
                    print(f"{time.monotonic() - began:6.0f} s  look {number}: {json.dumps(told)}", flush=True)
        return int(bool(noise) or number != LOOKS or bool(self._idle))

    def close(self) -> None:
        """Deploy the site again as it is declared, if it was given an autoscaler."""
        if self._is_scaled:
            self._is_scaled = False
            self._deploy()

    @contextmanager
    def _load(self) -> Iterator[None]:
        """Let customers of the region order and read all the while; when this process is no more, they end, too."""
        client = client_host(self._topology.jurisdiction_of(self._site))
        customers = Customers(client, "--workers", "2", "--readers", "1", "--pace", "1", seconds=LOAD_SECONDS)
        try:
            yield
        finally:
            orders = len(customers.end().get("orders", ()))
            self._idle += not orders
            print(f"orders meanwhile: {orders}", flush=True)

    def _autoscaler(self) -> Iterator[Moment]:
        """Declare an autoscaler, and let it move the shop.

        The lab has no server of metrics, so nothing tells its controller of load: what the controller would write to
        the subresource `scale` is written under its identity and its program's name.
        """
        stack = site_stack(self._topology, self._site, Environment.LAB)
        environment, pulumi = {**variables(stack), **pack_variables()}, find_program("pulumi")
        self._is_scaled = True
        for name, value in _BOUNDS.items():
            words = ("config", "set", "--path", f"{_CONFIG}.{name}", value, "--stack", stack.name, "--non-interactive")
            run([pulumi, *words], cwd=stack.folder, env=environment)
        deploy = ("up", "--stack", stack.name, "--yes", "--skip-preview", "--non-interactive")
        run([pulumi, *deploy], cwd=stack.folder, env=environment, seconds=CHANGE_SECONDS)
        for replicas in (4, 3):
            self._scale(replicas)
            yield f"an autoscaler moved the shop to {replicas} replicas", False
        self._scale(2)
        self._ready("shop")
        yield "an autoscaler moved the shop back to 2 replicas", False
        self.close()

    def _scale(self, replicas: int) -> None:
        """Write as the controller does: it may replace the subresource, and not patch it."""
        scale = {
            "apiVersion": "autoscaling/v1", "kind": "Scale",
            "metadata": {"name": "shop", "namespace": "shop"}, "spec": {"replicas": replicas},
        }  # fmt: skip
        kubectl(self._site, f"--as={_AUTOSCALER}", "replace", f"--raw={_SCALE}", "-f", "-", stdin=json.dumps(scale))

    def _rollout(self) -> Iterator[Moment]:
        for name in ("shop", "payments"):
            kubectl(self._site, "rollout", "restart", f"deployment/{name}", f"--namespace={name}")
            yield f"a rolling update of {name}", False
            self._ready(name)

    def _certificate(self) -> Iterator[Moment]:
        """Renew the certificate for the public names, and deploy it, as an owner does before the old one ends."""
        folder = pki_directory() / "public"
        for name in ("tls.crt", "tls.key"):
            (folder / name).replace(folder / f"{name}.before")
        pki.prepare_public(self._topology.domain, self._topology.static_host)
        with self._begun("up", self._region) as process:
            time.sleep(10)
            yield "a certificate is being renewed", False
            _ended(process, "the deployment of the certificate")
        yield "a certificate was renewed", False

    def _deaths(self) -> Iterator[Moment]:
        for _ in range(2):
            for name in _WORKLOADS:
                pods = ("get", "pods", f"--namespace={name}", "--output=name")
                pod = kubectl(self._site, *pods).split()[0]
                kubectl(self._site, "delete", pod, f"--namespace={name}", "--wait=false", "--grace-period=0", "--force")
            yield "pods die", False
        for name in _WORKLOADS:
            self._ready(name)

    def _drill(self) -> Iterator[Moment]:
        reason = "look at drift while the roles move"
        with self._begun("drill", self._region, "--execute", "--reason", reason) as process:
            for pause in (5, 5, 20):
                time.sleep(pause)
                under_way = process.poll() is None
                yield f"a planned drill there and back{'' if under_way else ', which has ended'}", under_way
            _ended(process, "the drill")

    @contextmanager
    def _begun(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen([str(SHOPSPHERE), *words], stdout=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.wait(CHANGE_SECONDS)  # what moves a pair, or deploys one, is not ended half way

    def _deploy(self) -> None:
        run([SHOPSPHERE, "up", self._site], seconds=CHANGE_SECONDS, cwd=REPOSITORY)

    def _ready(self, name: str) -> None:
        words = ("rollout", "status", f"deployment/{name}", f"--namespace={name}", "--timeout=150s")
        kubectl(self._site, *words, seconds=160)


def _ended(process: subprocess.Popen[bytes], what: str) -> None:
    if code := process.wait(CHANGE_SECONDS):
        sys.stderr.write(f"{what} ended with code {code}\n")


def judged(moment: Moment, number: int, seen: Look) -> dict[str, Any]:
    """Return the result of one look: quiet is no finding, and unknown only while a role is being moved."""
    change, roles_move = moment
    found = [" ".join(filter(None, (each["site"], each["object"], each["field"]))) for each in seen.findings]
    is_unknown = seen.code == ExitCode.UNKNOWN and roles_move and bool(seen.unseen)
    return {
        "key": str(number),
        "change": change,
        "roles_move": roles_move,
        "code": seen.code,
        "findings": found,
        "unseen": [f"{each['site']}: {each['what']}: {each['why']}" for each in seen.unseen],
        "problem": seen.problem,
        "is_quiet": not found and not seen.problem and (seen.code == ExitCode.GOOD or is_unknown),
    }
