"""What is no object of a cluster: the edge's names and CDN, providers, the shop's image, and components."""

from __future__ import annotations

from collections.abc import Mapping

from policies.listing.shape import ListedType, Named, Shape

DYNAMIC = "pulumi-python:dynamic/edge"
PROVIDERS = "pulumi:providers"
OF_ITS_PROVIDER: Mapping[str, Shape] = {
    "__provider": "name of its provider's class in components/edge/providers",
    "live": "what was there when it was last read",
}
OF_THE_ZONE: Mapping[str, Shape] = {
    **OF_ITS_PROVIDER,
    "authorities": ({"name": "for people", "url": "API of a public name server"},),
    "keysFolder": "path of a folder on the operator's machine",
    "zone": "RES-031 judges it",
    "ttl": "time",
}
OF_THE_ENGINE: Mapping[str, Shape] = {"version": "version of the plugin", "pluginDownloadURL": "source of the plugin"}
EDGE: Mapping[str, ListedType] = {
    f"{DYNAMIC}:DnsZone": ListedType(
        "The public zone; RES-031 judges what it says.",
        {
            **OF_THE_ZONE,
            "nameservers": "names of the zone's servers",
            "hostmaster": "address of the zone's owner",
            "negativeTtl": "time",
        },
    ),
    f"{DYNAMIC}:DnsZoneKeys": ListedType(
        "The keys that sign the public zone: which ones is no input; RES-031 judges the zone.",
        {
            **{key: shape for key, shape in OF_THE_ZONE.items() if key != "ttl"},
            "algorithm": "kind of key",
            "parentServers": "addresses of public name servers, which are asked",
            "ds": "public halves of the keys, as the parent zone shows them",
            "retired": "public halves of keys that sign no more",
        },
    ),
    f"{DYNAMIC}:DnsRRset": ListedType(
        "Public names of sites and regions; RES-031 judges what they say.",
        {**OF_THE_ZONE, "name": "RES-031 judges it", "type": "RES-031 judges it", "records": "RES-031 judges them"},
    ),
    f"{DYNAMIC}:DnsPairState": ListedType(
        "Which site of a pair is active; RES-031 judges the addresses.",
        {
            **OF_THE_ZONE,
            **dict.fromkeys(("pair", "primary", "recovery"), "RES-031 judges it"),
            "addresses": Named("sites of the pair; RES-031 judges them"),
            "activeWeight": "share",
            "passiveWeight": "share",
        },
    ),
    f"{DYNAMIC}:CdnDistribution": ListedType(
        "Static assets at a public CDN; RES-030 and RES-031 judge what it carries.",
        {
            **OF_ITS_PROVIDER,
            "endpoint": "API of the CDN",
            "keysFolder": "path of a folder on the operator's machine",
            "name": "its name",
            "hostNames": "RES-031 judges them",
            "dataClass": "RES-030 judges it",
            "paths": "RES-030 judges them",
            "origins": (dict.fromkeys(("name", "address", "port"), "RES-031 judges it"),),
            "originName": "name that each origin proves by its certificate",
            "policy": "which origin comes first",
            "probe": dict.fromkeys(
                ("path", "expectedStatus", "intervalSeconds", "threshold", "timeoutSeconds", "window"),
                "how an origin is asked whether it is well",
            ),
            "defaultTtlSeconds": "time",
            "staleSeconds": "time",
        },
    ),
}
ENGINE: Mapping[str, ListedType] = {
    f"{PROVIDERS}:kubernetes": ListedType(
        "The way to the site's cluster; RES-004 and RES-008 judge where it leads.",
        {
            **OF_THE_ENGINE,
            "kubeconfig": "RES-008 judges it",
            "context": "RES-008 judges it",
            "clusterIdentifier": "RES-004 judges it",
            "renderYamlToDirectory": "writes files on the operator's machine and reaches no cluster",
            **dict.fromkeys(
                ("enableServerSideApply", "enableConfigMapMutable", "enableSecretMutable"),
                "how objects are written, not where",
            ),
        },
    ),
    f"{PROVIDERS}:pulumi-python": ListedType(
        "Runs the edge's own providers.", Named("the engine hands it the configuration of the project")
    ),
    f"{PROVIDERS}:docker": ListedType("The owner's Docker engine, which builds the shop's image.", OF_THE_ENGINE),
    "docker:index/image:Image": ListedType(
        "The shop's image: programs, no data. SEC-002 judges the registry.",
        {
            "imageName": "SEC-002 judges it",
            "build": "files of the checkout",
            "registry": dict.fromkeys(("server", "username", "password"), "SEC-002 judges it"),
            **dict.fromkeys(("buildOnPreview", "skipPush"), "set by the provider"),
        },
    ),
}
COMPONENTS = (
    "pulumi:pulumi:Stack",
    *(f"shopsphere:edge:{name}" for name in ("CdnOrigin", "GlobalDns")),
    *(
        f"shopsphere:site:{name}"
        for name in (
            "Admission",
            "AppImage",
            "DataCentre",
            "EventLog",
            "Gateway",
            "NetworkPolicies",
            "PinnedStorage",
            "Migration",
            "PostgresMember",
            "Rights",
        )
    ),
    *(f"shopsphere:site:{name}" for name in ("RegionalSite", "Workload")),
)
"""The stack and the components of this repository: each is made of resources that are judged themselves."""
