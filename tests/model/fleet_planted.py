"""Resources that are planted into a fleet written by hand."""

from __future__ import annotations

import yaml
from fleet_by_hand import ADDRESSES, named, resource
from kubeconfigs import kubeconfig

from policies.resource import Resource

Seeded = tuple[list[Resource], str, str]
"""What is planted, the rule that finds it, and the path."""
LEDGER_EU = "ledger-frankfurt (payment, eu) -> replication -> ledger-dublin"
COMMERCE_EU = "commerce-frankfurt (personal, eu)"
DUBLIN_STORE = "https://s3.dublin.shopsphere.test"
KUBECONFIG = yaml.safe_dump(kubeconfig("lab", f"https://{ADDRESSES['dublin']}:6443"))
BARMAN = "barman-cloud.cloudnative-pg.io"


def archive(path: str, endpoint: str = "") -> dict[str, object]:
    """An object store, as CloudNativePG describes one."""
    return {"destinationPath": path, **({"endpointURL": endpoint} if endpoint else {})}


def object_store(site: str, path: str, endpoint: str) -> Resource:
    """The plugin's description of an object store."""
    props = {"metadata": named("wal", "data-ledger", "payment"), "spec": {"configuration": archive(path, endpoint)}}
    return resource(f"lab-{site}", "kubernetes:barmancloud.cnpg.io/v1:ObjectStore", "wal", props)


def subscription(site: str, cluster: str, external: str) -> Resource:
    spec = {"cluster": {"name": cluster}, "externalClusterName": external}
    props = {"metadata": named("s", "data-commerce", "personal"), "spec": spec}
    return resource(f"lab-{site}", "kubernetes:postgresql.cnpg.io/v1:Subscription", "s", props)


def volume(site: str, **source: object) -> Resource:
    props = {"metadata": {**named("v9", "", "personal")}, "spec": source}
    return resource(f"lab-{site}", "kubernetes:core/v1:PersistentVolume", "v9", props)


def settings(site: str, namespace: str, kind: str = "Secret", **data: str) -> Resource:
    props = {"metadata": named("settings", namespace, "operational"), "stringData": data}
    return resource(f"lab-{site}", f"kubernetes:core/v1:{kind}", "settings", props)


def external_name(site: str, namespace: str, name: str, host: str) -> Resource:
    spec = {"type": "ExternalName", "externalName": host}
    props = {"metadata": named(name, namespace, "operational"), "spec": spec}
    return resource(f"lab-{site}", "kubernetes:core/v1:Service", name, props)


def node_port(site: str, namespace: str, port: int) -> Resource:
    spec = {"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]}
    props = {"metadata": named("logs", namespace, "operational"), "spec": spec}
    return resource(f"lab-{site}", "kubernetes:core/v1:Service", "logs", props)


def stands_for(site: str, namespace: str, *addresses: str) -> Resource:
    """A service of a namespace, called `both`, that leads to addresses elsewhere."""
    props = {"metadata": named("both", namespace, "operational"), "spec": {"externalIPs": list(addresses)}}
    return resource(f"lab-{site}", "kubernetes:core/v1:Service", "both", props)


def at_the_first_port(site: str) -> Resource:
    """A service that is exposed at port 1 of a site: whoever names no port does not mean it."""
    props = {
        "metadata": named("first", "shop", "operational"),
        "spec": {"type": "LoadBalancer", "ports": [{"port": 1}]},
    }
    return resource(f"lab-{site}", "kubernetes:core/v1:Service", "first", props)


def statements(*texts: str) -> dict[str, object]:
    return {"initdb": {"postInitApplicationSQL": list(texts)}}
