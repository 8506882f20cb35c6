"""Certificates and kubeconfigs of a site's cluster."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lab.paths import disk_directory, kubeconfig_path
from shopsphere.estate.cluster_rights import AGENTS, agent_subject
from shopsphere.estate.cluster_role import Role, subject
from shopsphere.estate.site_config import API_SERVER_PORT
from shopsphere.foundation.certificates import KeyPair, issue, new_authority
from shopsphere.foundation.files import write_whole
from shopsphere.topology import Site

ADMINISTRATOR = "admin"
"""User of the kubeconfig that the platform deploys with, as the API server names it."""
OPERATORS_MACHINE = "lab"
"""Who asks as each of the roles, in names of certificates."""
KUBELET_CLIENT = "kube-apiserver-kubelet-client"
"""As which the API server enters pods at the kubelet."""
_USERS = {
    "admin": (ADMINISTRATOR, "system:masters"),
    "controller-manager": ("system:kube-controller-manager", None),
    "scheduler": ("system:kube-scheduler", None),
    "proxy": ("system:kube-proxy", None),
    "router": ("kube-router", None),
    "kubelet-client": (KUBELET_CLIENT, None),
}


@dataclass(frozen=True)
class Credentials:
    """Files that a cluster's components read.

    Attributes:
        directory: folder of all of them.
        authority: the cluster's own CA.
        api_server: serving certificate of the API server.
        service_account_key: signs service account tokens.
    """

    directory: Path
    authority: KeyPair
    api_server: KeyPair
    service_account_key: Path

    def kubeconfig(self, user: str) -> Path:
        """The kubeconfig of `controller-manager`, `scheduler`, `proxy`, `router`, `kubelet`, `agent` or `admin`."""
        return self.directory / f"{user}.kubeconfig"


def agent_kubeconfig(node: str) -> Path:
    """Return where the agent of a node finds as whom it asks its site's API server."""
    return _directory(node) / "agent.kubeconfig"


def _directory(node: str) -> Path:
    return disk_directory(node) / "pki"


def prepare(site: Site) -> Credentials:
    """Make what is missing of a site's credentials and return them."""
    directory = _directory(site.name)
    authority = new_authority(directory, f"{site.name} cluster authority")
    first_service_address = str(site.service_network[1])
    api_server = issue(
        authority,
        KeyPair(directory / "api-server.crt", directory / "api-server.key"),
        common_name="kube-apiserver",
        alternatives=(str(site.address), "127.0.0.1", first_service_address, "kubernetes", "kubernetes.default.svc"),
    )
    credentials = Credentials(directory, authority, api_server, _service_account_key(directory))
    users = {**_USERS, **_of_node(site.name)}
    for user, (name, group) in users.items():
        pair = KeyPair(directory / f"{user}.crt", directory / f"{user}.key")
        issue(authority, pair, common_name=name, organisation=group)
        _write_kubeconfig(credentials.kubeconfig(user), site, authority, pair)
    write_whole(kubeconfig_path(site.name), credentials.kubeconfig("admin").read_text(), mode=0o600)
    for role in Role:
        of_role = KeyPair(directory / f"role-{role}.crt", directory / f"role-{role}.key")
        issue(authority, of_role, common_name=subject(role, OPERATORS_MACHINE), organisation=role.group)
        _write_kubeconfig(kubeconfig_path(site.name, role), site, authority, of_role)
    return credentials


def prepare_node(site: Site, node: str) -> Credentials:
    """Make what is missing of what a further node's programs log in with, on its own disk, and return it.

    The authority and the other keys stay with the site's host: the node has its own kubelet, and no administrator.
    """
    of_site = prepare(site)
    directory = _directory(node)
    directory.mkdir(parents=True, exist_ok=True)
    users = {"proxy": _USERS["proxy"], "router": _USERS["router"], **_of_node(node)}
    credentials = Credentials(directory, of_site.authority, of_site.api_server, of_site.service_account_key)
    for user, (name, group) in users.items():
        pair = KeyPair(directory / f"{user}.crt", directory / f"{user}.key")
        issue(of_site.authority, pair, common_name=name, organisation=group)
        _write_kubeconfig(credentials.kubeconfig(user), site, of_site.authority, pair)
    return credentials


def _of_node(node: str) -> dict[str, tuple[str, str]]:
    return {"kubelet": (f"system:node:{node}", "system:nodes"), "agent": (agent_subject(node), AGENTS)}


def _service_account_key(directory: Path) -> Path:
    file = directory / "service-accounts.key"
    if not file.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        write_whole(file, text.decode(), mode=0o600)
    return file


def _write_kubeconfig(file: Path, site: Site, authority: KeyPair, user: KeyPair) -> None:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": site.name,
        "clusters": [
            {
                "name": site.name,
                "cluster": {
                    "server": f"https://{site.address}:{API_SERVER_PORT}",
                    "certificate-authority-data": _base64(authority.certificate),
                },
            }
        ],
        "users": [
            {
                "name": site.name,
                "user": {"client-certificate-data": _base64(user.certificate), "client-key-data": _base64(user.key)},
            }
        ],
        "contexts": [{"name": site.name, "context": {"cluster": site.name, "user": site.name}}],
    }
    write_whole(file, yaml.safe_dump(document), mode=0o600)


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
