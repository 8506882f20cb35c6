"""What an owner's cluster has before a stack meets it: DNS inside the cluster and the database operator."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lab.cluster.configuration import dns_address
from lab.paths import disk_directory, kubeconfig_path
from policies.admission.printed import rights
from shopsphere.estate.placement import HOSTNAME_LABEL
from shopsphere.estate.role_rights import DEPLOYS, DEPLOYS_HERE
from shopsphere.estate.stack import Environment as StackEnvironment
from shopsphere.foundation.paths import tools_directory
from shopsphere.foundation.process import run
from shopsphere.topology import Site, Topology

DNS_IMAGE = "localhost/shopsphere/coredns:1.15.0"
OPERATOR_IMAGE = "localhost/shopsphere/cnpg-operator:1.30.0"
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("addons")),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - YAML out of our own values, not HTML
)
_OPERATOR_MANIFEST, _OPERATOR = "cnpg-1.30.0.yaml", "cnpg-controller-manager"
_ROLLOUT_SECONDS = 180


def kubectl(site: str, *words: str, stdin: str | None = None, check: bool = True, seconds: float = 120) -> str:
    """Run kubectl as a site's administrator and return what it printed."""
    command: list[str | Path] = [tools_directory() / "kubectl", f"--kubeconfig={kubeconfig_path(site)}", *words]
    return run(command, stdin=stdin, check=check, seconds=seconds).stdout


def apply(site: Site, *, resolver: str, operator: bool) -> None:
    """Apply the add-ons of a site's cluster; a second call changes nothing.

    Args:
        site: whose cluster.
        resolver: DNS server for names outside the cluster.
        operator: whether databases run here.
    """
    manifests = [_dns_manifest(site, resolver)]
    if operator:
        manifests.append(yaml.safe_dump_all(_operator_objects(site)))
    digest = hashlib.sha256("".join(manifests).encode()).hexdigest()
    record = disk_directory(site.name) / "add-ons.sha256"
    if record.exists() and record.read_text() == digest:
        return  # the cluster's store is on the same disk as this record
    for manifest in manifests:
        kubectl(site.name, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest, seconds=300)
    if operator:  # while it is replaced, its webhooks refuse every change of a database
        words = ["--namespace", "cnpg-system", f"--timeout={_ROLLOUT_SECONDS}s"]
        kubectl(site.name, "rollout", "status", f"deployment/{_OPERATOR}", *words, seconds=_ROLLOUT_SECONDS + 10)
    record.write_text(digest)


def apply_rights(topology: Topology, site: str) -> None:
    """Let the cluster's own parts do what they are for, and the site's agents and the operators' programs.

    Without it no network policy is in force, and no database takes writes.
    """
    of_up = {DEPLOYS, DEPLOYS_HERE}
    wanted = rights(topology, site, StackEnvironment.LAB)
    manifest = (Path(__file__).with_name("addons") / "rights.yaml").read_text()
    manifest += f"---\n{yaml.safe_dump_all(each for each in wanted if each['metadata']['name'] not in of_up)}"
    words = ["apply", "--server-side", "--force-conflicts", "-f", "-"]
    kubectl(site, *words, stdin=manifest)
    # The lab deploys as the administrator. Policies of an older stack refuse this role until `up` has replaced them.
    own = yaml.safe_dump_all(each for each in wanted if each["metadata"]["name"] in of_up)
    kubectl(site, *words, stdin=own, check=False)


def _dns_manifest(site: Site, resolver: str) -> str:
    template = _TEMPLATES.get_template("coredns.yaml.j2")
    return template.render(resolver=resolver, image=DNS_IMAGE, address=dns_address(site))


def _operator_objects(site: Site) -> list[dict[str, Any]]:
    """The operator's own manifest, with our image, more CPU and a place in the power budget.

    It is where the API server is: on a node that is lost alone it would be missed by every change of a database.
    """
    manifest = tools_directory().parent / "share" / _OPERATOR_MANIFEST
    objects = [entry for entry in yaml.load_all(manifest.read_text(), Loader=yaml.CSafeLoader) if entry]
    for entry in objects:
        if entry["kind"] == "Deployment":
            entry["metadata"].setdefault("labels", {})["shopsphere.io/add-on"] = "true"
            # There is no election: the old pod is told to end before a new one starts, so two act only for moments.
            entry["spec"]["strategy"] = {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
            pod = entry["spec"]["template"]["spec"]
            if site.further_nodes:
                pod["nodeSelector"] = {HOSTNAME_LABEL: site.nodes[0]}
            _fit_operator(pod["containers"][0])
    return objects


def _fit_operator(container: dict[str, Any]) -> None:
    container["image"] = OPERATOR_IMAGE
    container["imagePullPolicy"] = "IfNotPresent"
    container["args"] = [word for word in container["args"] if word != "--leader-elect"]  # there is one replica
    for variable in container["env"]:
        if variable["name"] == "OPERATOR_IMAGE_NAME":
            variable["value"] = OPERATOR_IMAGE
    container["resources"] = {  # 100m, the manifest's own limit, adds seconds to each failover; so does a small request
        "requests": {"cpu": "200m", "memory": "100Mi", "shopsphere.io/watts": "1"},
        "limits": {"cpu": "1", "memory": "300Mi", "shopsphere.io/watts": "1"},
    }
