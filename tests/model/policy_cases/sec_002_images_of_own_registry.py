from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared

IMAGE = ("spec", "template", "spec", "containers", 0, "image")
CONTAINERS = ("spec", "template", "spec", "initContainers")
EPHEMERAL = ("spec", "template", "spec", "ephemeralContainers")
DIGEST = f"registry.example/shop@sha256:{'0' * 64}"
BUILT = Declared("docker:index/image:Image", {"imageName": "registry.example/shop:1.0"})
GOOD = {
    "own registry": k8s.DEPLOYMENT,
    "own registry with a port": k8s.DEPLOYMENT.but(*IMAGE, "registry:5000/shop:1.0"),
    "digest": k8s.DEPLOYMENT.but(*IMAGE, DIGEST),
    "loaded into the lab's nodes": k8s.DEPLOYMENT.but(*IMAGE, "localhost/shop:1.0"),
    "at the other site of the pair": k8s.DEPLOYMENT.but(*IMAGE, "registry.frankfurt.shopsphere.test/shop:1.0"),
    "name that ends like a site's": k8s.DEPLOYMENT.but(*IMAGE, "notashburn.shopsphere.test/shop:1.0"),
    "address that begins like a site's": k8s.DEPLOYMENT.but(*IMAGE, "10.99.0.210:5000/shop:1.0"),
    "database": k8s.DATABASE,
    "image that is built": BUILT,
    "image that is built in production, by the tag that is pushed": BUILT.in_stack("prod-frankfurt"),
    "digest in production": k8s.DEPLOYMENT.but(*IMAGE, DIGEST).in_stack("prod-frankfurt"),
    "version and digest in production": k8s.DATABASE.but(
        "spec", "imageName", f"registry.example/postgresql:15.18@sha256:{'0' * 64}"
    ).in_stack("prod-frankfurt"),
    "digest that exists after the build": k8s.DEPLOYMENT.but(*IMAGE, UNKNOWN),
}
BAD = {
    "public registry": (k8s.DEPLOYMENT.but(*IMAGE, "docker.io/acme/shop:1.0"), "docker.io/acme/shop:1.0 of a public"),
    "public registry below a name": (k8s.DEPLOYMENT.but(*IMAGE, "eu.gcr.io/acme/shop:1.0"), "of a public registry"),
    "no registry": (k8s.DEPLOYMENT.but(*IMAGE, "acme/shop:1.0"), "acme/shop:1.0, without a registry"),
    "name alone": (k8s.DEPLOYMENT.but(*IMAGE, "postgres"), "postgres, without a registry"),
    "no image": (k8s.DEPLOYMENT.but(*IMAGE, REMOVED), "missing, without a registry"),
    "whatever is newest": (k8s.DEPLOYMENT.but(*IMAGE, "registry.example/shop:latest"), "whatever was pushed last"),
    "no version": (k8s.DEPLOYMENT.but(*IMAGE, "registry.example/shop"), "whatever was pushed last"),
    "a tag alone in production": (
        k8s.DEPLOYMENT.in_stack("prod-frankfurt"),
        "registry.example/shop:1.0, by a tag that can be pushed again",
    ),
    "database by a tag alone in production": (
        k8s.DATABASE.in_stack("prod-frankfurt"),
        "spec.imageName: registry.example/postgresql:15.18, by a tag that can be pushed again",
    ),
    "nowhere to be pulled": (
        k8s.DEPLOYMENT.but(*IMAGE, "localhost/shop:1.0").in_stack("prod-frankfurt"),
        "which is nowhere to be pulled",
    ),
    "container that runs first": (
        k8s.DEPLOYMENT.but(*CONTAINERS, [{"name": "x", "image": "ghcr.io/x/y:1"}]),
        "initContainers[0].image: ghcr.io/x/y:1",
    ),
    "container that is added to look inside": (
        k8s.DEPLOYMENT.but(*EPHEMERAL, [{"name": "x", "image": "ghcr.io/x/y:1"}]),
        "ephemeralContainers[0].image: ghcr.io/x/y:1",
    ),
    "database of a public registry": (
        k8s.DATABASE.but("spec", "imageName", "ghcr.io/cnpg/pg:15"),
        "found:   spec.imageName: ghcr",
    ),
    "site of another jurisdiction by name": (
        k8s.DEPLOYMENT.but(*IMAGE, "registry.ashburn.shopsphere.test:5000/shop:1.0"),
        "registry.ashburn.shopsphere.test:5000/shop:1.0 of another jurisdiction",
    ),
    "headquarters by address": (
        k8s.DATABASE.but("spec", "imageName", "10.99.0.40:5000/pg:15"),
        "10.99.0.40:5000/pg:15 of another jurisdiction",
    ),
    "pushed to another jurisdiction": (
        BUILT.but("imageName", "ashburn.shopsphere.test/acme/shop:1.0").in_stack("lab-frankfurt"),
        "of another jurisdiction",
    ),
    "pushed to a public registry": (
        BUILT.but("imageName", "quay.io/acme/shop:1.0"),
        "found:   imageName: quay.io/acme/shop:1.0",
    ),
}
UNKNOWN_CASES = {
    "containers": (k8s.DEPLOYMENT.but("spec", "template", UNKNOWN), "spec.template is not known"),
    "image of a database": (k8s.DATABASE.but("spec", "imageName", UNKNOWN), "imageName is not known"),
}
NOT_APPLICABLE = {"namespace": k8s.NAMESPACE, "dns": k8s.DNS}
