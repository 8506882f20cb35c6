"""A real API server with its store, on loopback: no node, no controller, two identities with every right."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml
from free_port import free_port

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import Asker, ClusterError
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import tools_directory
from shopsphere.foundation.process import Result, run

DEPLOYER, STRANGER = "deployer", "stranger"
SECONDS = 120


class KubeApi:
    """The two processes, and the ways in."""

    def __init__(self, folder: Path, *arguments: str, identities: Mapping[str, str] | None = None) -> None:
        self.folder, self._arguments = folder, arguments
        everything = dict.fromkeys((DEPLOYER, STRANGER), "system:masters")
        self._identities = {**everything, **(identities or {})}
        self.kubeconfig = folder / "kubeconfig.yaml"
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        store, peers, port = (free_port() for _ in range(3))
        tokens = "".join(f'{name},{name},{name},"{group}"\n' for name, group in self._identities.items())
        (self.folder / "tokens.csv").write_text(tokens)
        key = self.folder / "service-accounts.key"
        run(["openssl", "genrsa", "-out", key, "2048"], seconds=SECONDS)
        self._spawn(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            "--unsafe-no-fsync",
            f"--listen-client-urls=http://127.0.0.1:{store}",
            f"--advertise-client-urls=http://127.0.0.1:{store}",
            f"--listen-peer-urls=http://127.0.0.1:{peers}",
            "--log-level=error",
        )
        self._spawn(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{store}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={port}",
            f"--cert-dir={self.folder / 'certificates'}",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            "--enable-priority-and-fairness=false",
            "--profiling=false",
            *self._arguments,
        )
        self._write_kubeconfig(port)
        wait_until(self._is_ready, what="the API server", seconds=SECONDS, interval=0.5)

    def cluster(self, identity: str = DEPLOYER, *, asker: Asker | None = None) -> Cluster:
        """The API as the deployment reaches it, or somebody else."""
        return Cluster(self.kubeconfig, identity, seconds=30, asker=asker)

    def kubectl(self, *words: str, stdin: str | None = None, context: str = STRANGER, check: bool = True) -> Result:
        command: list[str | Path] = [
            tools_directory() / "kubectl",
            f"--kubeconfig={self.kubeconfig}",
            f"--context={context}",
            *words,
        ]
        return run(command, stdin=stdin, seconds=SECONDS, check=check)

    def define(self, manifest: Path) -> None:
        """Make the API know the custom resources of a manifest."""
        objects = [each for each in yaml.load_all(manifest.read_text(), Loader=yaml.CSafeLoader) if each]
        definitions = [each for each in objects if each["kind"] == "CustomResourceDefinition"]
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": definitions})
        self.kubectl("apply", "--server-side", "-f", "-", stdin=listed, context=DEPLOYER)
        names = [f"crd/{each['metadata']['name']}" for each in definitions]
        self.kubectl("wait", "--for=condition=Established", "--timeout=60s", *names, context=DEPLOYER)

    def check_types(self) -> None:
        """Start the one controller that looks into the CEL of admission policies."""
        self._spawn(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig}",
            "--controllers=validatingadmissionpolicy-status-controller",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
            f"--cert-dir={self.folder / 'certificates-of-controllers'}",
        )

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait(10)

    def _spawn(self, program: str, *arguments: str) -> None:
        with (self.folder / f"{program}.log").open("w") as log:
            command = [str(tools_directory() / program), *arguments]
            self._processes.append(subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True))

    def _is_ready(self) -> bool:
        try:
            return any(each["metadata"]["name"] == "kube-system" for each in self.cluster().items("/api/v1/namespaces"))
        except ClusterError:
            return False

    def _write_kubeconfig(self, port: int) -> None:
        server = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
        names = [*self._identities]
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "site", "cluster": server}],
            "users": [{"name": name, "user": {"token": name}} for name in names],
            "current-context": DEPLOYER,
            "contexts": [{"name": name, "context": {"cluster": "site", "user": name}} for name in names],
        }
        self.kubeconfig.write_text(yaml.safe_dump(document))


@contextmanager
def api_with_databases(folder: Path, identities: Mapping[str, str] | None = None) -> Iterator[KubeApi]:
    """Start an API server that knows the kinds of the database operator, and stop it.

    `identities` are further ones, each with its one group.
    """
    started = KubeApi(folder, identities=identities)
    try:
        started.start()
        started.define(tools_directory().parent / "share" / "cnpg-1.30.0.yaml")
        yield started
    finally:
        started.stop()
