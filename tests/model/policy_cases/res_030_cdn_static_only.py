from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared

UNNAMED = k8s.CDN.of("pulumi-python:dynamic:Resource")

GOOD = {
    "static paths": k8s.CDN,
    "a folder below": k8s.CDN.but("paths", ["/static/css/"]),
    "resource without a type of its own": UNNAMED,
}
BAD = {
    "personal data": (k8s.CDN.but("dataClass", "personal"), "dataClass: personal", "allowed: public"),
    "no class": (k8s.CDN.but("dataClass", REMOVED), "dataClass: missing"),
    "whole shop": (k8s.CDN.but("paths", ["/"]), "path /"),
    "checkout": (k8s.CDN.but("paths", ["/static/", "/checkout/"]), "path /checkout/", "/media/, /static/"),
    "no paths": (k8s.CDN.but("paths", []), "no paths, so all of the origin"),
    "paths missing": (k8s.CDN.but("paths", REMOVED), "no paths, so all of the origin"),
    "way out of the folder": (k8s.CDN.but("paths", ["/static/../orders/"]), "path /static/../orders/"),
    "escaped way out": (k8s.CDN.but("paths", ["/static/%2e%2e/orders/"]), "%2e%2e"),
    "wildcard": (k8s.CDN.but("paths", ["/static/*"]), "path /static/*"),
    "prefix of a longer name": (k8s.CDN.but("paths", ["/static-orders/"]), "path /static-orders/"),
    "resource without a type of its own": (UNNAMED.but("paths", ["/"]), "path /"),
    "origins alone": (UNNAMED.but("paths", REMOVED), "no paths, so all of the origin"),
    "another CDN's own type": (
        k8s.CDN.of("aws:cloudfront/distribution:Distribution").but("paths", REMOVED).by({}),
        "no paths",
    ),
    "paths of the wrong shape": (k8s.CDN.but("paths", "/static/"), "paths is a str"),
    "paths alone": (UNNAMED.but("origins", REMOVED).but("paths", ["/"]), "path /"),
}
UNKNOWN_CASES = {
    "class": (k8s.CDN.but("dataClass", UNKNOWN), "dataClass is not known"),
    "path": (k8s.CDN.but("paths", 0, UNKNOWN), "paths.0 is not known"),
    "paths": (UNNAMED.but("paths", UNKNOWN), "paths is not known"),
}
NOT_APPLICABLE = {
    "dns": k8s.DNS,
    "deployment": k8s.DEPLOYMENT,
    "component": k8s.COMPONENT,
    "resource without a type of its own that carries nothing": Declared(UNNAMED.token, {"name": "x"}),
    "paths of something else": Declared("acme:files:Folder", {"paths": ["/srv"]}),
}
