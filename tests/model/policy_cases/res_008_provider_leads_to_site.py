from typing import Any

import yaml
from kubeconfigs import kubeconfig

from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared


def leading_to(server: str, **cluster: Any) -> Declared:
    """Frankfurt's provider with a kubeconfig that leads to a server."""
    return k8s.PROVIDER.but("kubeconfig", yaml.safe_dump(kubeconfig("frankfurt", server, **cluster)))


RIGHT = leading_to("https://10.99.0.11:6443")
GOOD = {
    "address of the site": RIGHT,
    "name of the site": leading_to("https://frankfurt.shopsphere.test:6443"),
    "name below the site's": leading_to("https://api.frankfurt.shopsphere.test"),
    "as JSON": k8s.PROVIDER.but(
        "kubeconfig", str(kubeconfig("frankfurt", "https://10.99.0.11:6443")).replace("'", '"')
    ),
    "object of that provider": k8s.DEPLOYMENT.by(RIGHT.props),
    "files on this machine": k8s.PROVIDER.but("renderYamlToDirectory", "/tmp/x").but("kubeconfig", REMOVED),
    "object of no known cluster, which another rule refuses": k8s.DEPLOYMENT.by({}),
}
BAD = {
    "another site's server": (
        leading_to("https://10.99.0.21:6443"),
        "clusterIdentifier frankfurt with a server at https://10.99.0.21",
        "https to 10.99.0.11",
    ),
    "object through another site's server": (
        k8s.DEPLOYMENT.by(leading_to("https://10.99.0.21:6443").props),
        "a server at https://10.99.0.21",
    ),
    "the peer's server": (leading_to("https://10.99.0.12:6443"), "https://10.99.0.12"),
    "another site's name": (leading_to("https://ashburn.shopsphere.test"), "https://ashburn.shopsphere.test"),
    "name that only ends alike": (leading_to("https://notfrankfurt.shopsphere.test"), "notfrankfurt"),
    "name that only begins alike": (leading_to("https://frankfurt.shopsphere.test.example"), "shopsphere.test.example"),
    "in the clear": (leading_to("http://10.99.0.11:6443"), "http://10.99.0.11"),
    "by a proxy": (leading_to("https://10.99.0.11", **{"proxy-url": "http://proxy.example"}), "with proxy-url"),
    "whoever answers": (leading_to("https://10.99.0.11", **{"insecure-skip-tls-verify": True}), "insecure"),
    "by another name": (leading_to("https://10.99.0.11", **{"tls-server-name": "x"}), "tls-server-name"),
    "without a kubeconfig": (k8s.PROVIDER.but("kubeconfig", REMOVED), "no kubeconfig"),
    "by default": (k8s.DEPLOYMENT.by(None), "no provider, so nobody knows where it leads"),
    "of no site": (k8s.PROVIDER.but("clusterIdentifier", REMOVED), "clusterIdentifier: missing"),
}
UNKNOWN_CASES = {
    "kubeconfig": (k8s.PROVIDER.but("kubeconfig", UNKNOWN), "kubeconfig is not known"),
    "context": (RIGHT.but("context", UNKNOWN), "context is not known"),
}
NOT_APPLICABLE = {
    "dns": k8s.DNS,
    "component": k8s.COMPONENT,
    "group": k8s.SETTINGS.of("kubernetes:yaml/v2:ConfigGroup"),
}
