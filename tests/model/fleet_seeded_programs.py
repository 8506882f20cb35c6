"""Ways by which programs, logs, names, the CDN, networks, credentials and volumes would leave, each with its path."""

from __future__ import annotations

from fleet_by_hand import (
    ADDRESSES,
    admits,
    block,
    distribution,
    member,
    opens,
    pair_state,
    program,
    provider,
    rrset,
    within,
)
from fleet_planted import (
    COMMERCE_EU,
    KUBECONFIG,
    LEDGER_EU,
    Seeded,
    node_port,
    settings,
    statements,
    volume,
)

PROGRAMS: dict[str, Seeded] = {
    "an export by what only reads the shop": (
        [
            program("dublin", "exporter", "operational", TARGET="https://reports.newyork.shopsphere.test/in"),
            opens("dublin", "exporter", within("shop")),
        ],
        "FLT-003",
        "shop at dublin (personal, eu) -> read -> exporter at dublin -> export -> newyork",
    ),
    "an export by what reads a database": (
        [
            program(
                "dublin",
                "exporter",
                "aggregate",
                DSN="postgresql://ledger@ledger.data-ledger.svc:5432/ledger",
                TO="https://10.99.0.40/",
            )
        ],
        "FLT-003",
        f"{LEDGER_EU} -> read -> exporter at dublin -> export -> newyork",
    ),
    "a setting that has the name of a harmless one": (
        [program("dublin", "payments", "payment", SHOP_PUBLIC_URL="https://10.99.0.40/")],
        "FLT-003",
        "payments at dublin (payment, eu) -> export -> newyork",
    ),
    "a foreign table": (
        [
            member(
                "ledger",
                "ashburn",
                "chicago",
                bootstrap=statements(
                    "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'eu.example.net')"
                ),
            )
        ],
        "FLT-003",
        "ledger-ashburn (payment, us) -> export -> eu.example.net",
    ),
    "logs by way of a forwarder at the other site": (
        [
            program("frankfurt", "shop", "personal", LOG_TARGET="tcp://dublin.shopsphere.test:30514"),
            node_port("dublin", "forwarder", 30514),
            program("dublin", "forwarder", "operational", LOKI="https://logs.newyork.shopsphere.test"),
        ],
        "FLT-004",
        "shop at frankfurt (personal, eu) -> log shipping -> forwarder at dublin -> log shipping -> newyork",
    ),
    "logs by way of a site's address": (
        [
            program("frankfurt", "shop", "personal", LOG_TARGET="tcp://10.99.0.12:514"),
            program("dublin", "forwarder", "operational", LOKI="https://logs.example.net"),
            node_port("dublin", "forwarder", 31000),
            admits("dublin", "forwarder", block("10.99.0.11/32")),
        ],
        "FLT-004",
        "shop at frankfurt (personal, eu) -> log shipping -> dublin -> arrival -> forwarder at dublin -> log shipping"
        " -> logs.example.net",
    ),
    "logs that the shop sends to a forwarder beside it": (
        [
            program("sydney", "forwarder", "operational"),
            opens("sydney", "payments", within("forwarder"), name="to-forwarder"),
            settings("sydney", "forwarder", "ConfigMap", **{"fluent-bit.conf": "[OUTPUT]\n  Host 10.99.0.22\n"}),
        ],
        "FLT-004",
        "payments at sydney (payment, apac) -> call -> forwarder at sydney -> log shipping -> chicago",
    ),
    "the region's name leads abroad": (
        [pair_state(frankfurt=ADDRESSES["ashburn"], dublin=ADDRESSES["dublin"])],
        "FLT-005",
        "customers of eu (personal, eu) -> dns -> ashburn",
    ),
    "a site's name leads to a stranger": (
        [rrset("sydney.shopsphere.test.", "A", "198.51.100.9")],
        "FLT-005",
        "customers of apac (personal, apac) -> dns -> 198.51.100.9",
    ),
    "the shop's name is another's": (
        [rrset("www.shopsphere.test.", "CNAME", "shop.example.net.")],
        "FLT-005",
        "customers of us (personal, us) -> dns -> shop.example.net",
    ),
    "a program that chooses where a region's name leads": (
        [rrset("rdc-c.shopsphere.test.", "LUA", "A \"return '10.99.0.40'\"")],
        "FLT-005",
        "customers of apac (personal, apac) -> dns -> wherever a program leads that is not our own",
    ),
    "the CDN fetches every page": (
        [distribution("/")],
        "FLT-006",
        "shop at frankfurt (personal, eu) -> read -> gateway at frankfurt -> cdn -> the CDN",
    ),
    "the CDN fetches what is not public": (
        [distribution("/static/", data_class="personal", origin="chicago")],
        "FLT-006",
        "shop at chicago (personal, us) -> read -> gateway at chicago -> cdn -> the CDN",
    ),
    "a policy that opens everything": (
        [opens("frankfurt", "shop", block("0.0.0.0/0"), name="all")],
        "FLT-007",
        "shop at frankfurt (personal, eu) -> egress -> 0.0.0.0/0, where ashburn is",
    ),
    "a policy without a peer": (
        [opens("frankfurt", "data-ledger", name="all")],
        "FLT-007",
        "ledger-frankfurt (payment, eu) -> egress -> anywhere",
    ),
    "a policy to headquarters, of the replica": (
        [opens("dublin", "data-ledger", block("10.99.0.40/32"), name="hq")],
        "FLT-007",
        f"{LEDGER_EU} -> egress -> newyork",
    ),
    "a policy to another region's database": (
        [opens("singapore", "data-ledger", block("10.99.0.21/32"), name="us", port=30033)],
        "FLT-007",
        "ledger-singapore (payment, apac) -> egress -> ledger-ashburn",
    ),
    "the kubeconfig of another site": (
        [provider("frankfurt", "ashburn")],
        "FLT-008",
        f"{COMMERCE_EU} -> credential -> ashburn",
    ),
    "a kubeconfig at headquarters": (
        [program("newyork", "report", "aggregate"), settings("newyork", "report", config=KUBECONFIG)],
        "FLT-008",
        f"{COMMERCE_EU} -> replication -> commerce-dublin -> credential -> report at newyork",
    ),
    "a login of another region": (
        [program("newyork", "crm", "public", DSN="postgresql://commerce@ashburn.shopsphere.test:30032/commerce")],
        "FLT-008",
        "commerce-ashburn (personal, us) -> credential -> crm at newyork",
    ),
    "a login without a port": (
        [program("newyork", "crm", "public", DSN="postgresql://x@ashburn.shopsphere.test/ledger")],
        "FLT-008",
        "ledger-ashburn (payment, us) -> credential -> crm at newyork",
    ),
    "a share in another region": (
        [volume("dublin", nfs={"server": "nfs.chicago.shopsphere.test", "path": "/v9"})],
        "FLT-009",
        "volume v9 (personal, eu) -> volume -> chicago",
    ),
    "volumes of a driver": (
        [volume("dublin", csi={"driver": "ebs.csi.aws.com"})],
        "FLT-009",
        "volume v9 (personal, eu) -> volume -> volumes of ebs.csi.aws.com",
    ),
}
