from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared
from shopsphere.names.steering import pair_content

ORIGIN = ("origins", 0)
ZONE = Declared(
    "pulumi-python:dynamic/edge:DnsZone",
    {"zone": "shopsphere.test.", "nameservers": ["ns1.shopsphere.test."]},
    "z",
    "lab",
)
KEYS = Declared(
    "pulumi-python:dynamic/edge:DnsZoneKeys",
    {"zone": "shopsphere.test.", "algorithm": "ECDSAP256SHA256", "parentServers": ["203.0.113.1"]},
    "z",
    "lab",
)
STATE = Declared(
    "pulumi-python:dynamic/edge:DnsPairState",
    {
        "zone": "shopsphere.test.",
        "pair": "rdc-a",
        "addresses": {"frankfurt": "10.99.0.11", "dublin": "10.99.0.12"},
    },
    "rdc-a",
    "lab",
    None,
)
PROGRAM = k8s.DNS.but("type", "LUA").but("name", "rdc-a.shopsphere.test.")

ISSUERS = k8s.DNS.but("type", "CAA").but("name", "shopsphere.test.").but("records", ['0 issue ";"'])

GOOD = {
    "nobody issues certificates": ISSUERS,
    "who issues certificates": ISSUERS.but("records", ['0 issue "ca.example"', '0 issuewild "a.b.ca.example"']),
    "site": k8s.DNS,
    "zone": ZONE,
    "keys of the zone": KEYS,
    "name server": k8s.DNS.but("name", "ns1.shopsphere.test.").but("records", ["203.0.113.53"]),
    "static assets": k8s.DNS.but("name", "static.shopsphere.test.").but("records", ["203.0.113.80"]),
    "state of a pair": STATE,
    "distribution": k8s.CDN,
    "program of a pair": PROGRAM.but("records", [pair_content("rdc-a", "www.shopsphere.test")]),
}
BAD = {
    "text as an issuer": (ISSUERS.but("records", ['0 issue "ca.example; account=jane"']), "records[0]: 0 issue"),
    "second issuer": (ISSUERS.but("records", ['0 issue ";"', '0 iodef "mailto:jane@x"']), "records[1]: 0 iodef"),
    "long issuer": (ISSUERS.but("records", [f'0 issue "{"a" * 41}.example"']), "records[0]: 0 issue"),
    "issuer of another name": (ISSUERS.but("name", "dublin.shopsphere.test."), "type: CAA, whose content may be any"),
    "site elsewhere": (k8s.DNS.but("records", ["10.99.0.21"]), "records[0]: 10.99.0.21 as dublin.shopsphere.test."),
    "second address": (k8s.DNS.but("records", ["10.99.0.12", "198.51.100.7"]), "records[1]: 198.51.100.7"),
    "name nobody declared": (k8s.DNS.but("name", "crm.shopsphere.test."), "10.99.0.12 as crm.shopsphere.test."),
    "name in another zone": (k8s.DNS.but("name", "dublin.example."), "as dublin.example."),
    "zone of somebody else": (ZONE.but("zone", "shop.example."), "zone: shop.example."),
    "keys of somebody else's zone": (KEYS.but("zone", "shop.example."), "zone: shop.example."),
    "zone missing": (STATE.but("zone", REMOVED), "zone: missing"),
    "text": (k8s.DNS.but("type", "TXT").but("records", ["customer=..."]), "type: TXT, whose content may be any text"),
    "another name for it": (k8s.DNS.but("type", "CNAME"), "type: CNAME"),
    "no address": (k8s.DNS.but("name", "static.shopsphere.test.").but("records", ["cdn.example."]), "cdn.example."),
    "program of one's own": (PROGRAM.but("records", ["A \";return '198.51.100.7'\""]), "a program that is not the one"),
    "program of a name without one": (k8s.DNS.but("type", "LUA"), "not the one of dublin.shopsphere.test."),
    "pair that leads elsewhere": (STATE.but("addresses", "dublin", "10.99.0.21"), "addresses.dublin: 10.99.0.21"),
    "site of another pair": (
        STATE.but("addresses", {"ashburn": "10.99.0.21"}),
        "addresses.ashburn",
        "dublin, frankfurt",
    ),
    "pair nobody declared": (STATE.but("pair", "rdc-x"), "pair: rdc-x"),
    "origin elsewhere": (k8s.CDN.but(*ORIGIN, "address", "198.51.100.7"), "origins[0]: 198.51.100.7 as frankfurt"),
    "origin at headquarters": (
        k8s.CDN.but("origins", [{"name": "newyork", "address": "10.99.0.40", "port": 80.0}]),
        "origins[0]: 10.99.0.40 as newyork",
        "a site of a pair",
    ),
    "host of the shop itself": (k8s.CDN.but("hostNames", ["www.shopsphere.test"]), "hostNames: www.shopsphere.test"),
    "address of the shop's own name": (
        k8s.DNS.but("name", "www.shopsphere.test."),
        "records[0]: 10.99.0.12 as www.shopsphere.test.",
    ),
    "DNS of somebody": (Declared("acme:dns:Y", {"other": 1}), "acme:dns:Y, of which nobody knows"),
    "DNS of a cloud": (Declared("aws:route53/record:Record", {}), "aws:route53/record:Record, of which nobody knows"),
    "CDN of a cloud": (Declared("azure-native:cdn:Endpoint", {}), "azure-native:cdn:Endpoint"),
    "by what it says, whatever it is called": (
        Declared("acme:web:Accelerator", {"origins": ["10.99.0.11"]}),
        "acme:web:Accelerator, of which nobody knows what it publishes",
    ),
    "records, whatever it is called": (Declared("acme:x:Y", {"records": []}), "acme:x:Y"),
    "origin without a port": (k8s.CDN.but(*ORIGIN, "port", REMOVED), "origins[0]: 10.99.0.11 as frankfurt"),
    "origin at port 0": (k8s.CDN.but(*ORIGIN, "port", 0.0), "origins[0]: 10.99.0.11 as frankfurt"),
    "records beside something else": (Declared("acme:x:Y", {"name": "y", "records": []}), "acme:x:Y"),
    **{
        f"{word}, whatever it is called": (Declared("acme:x:Y", {word: "x", "other": 1}), "acme:x:Y")
        for word in ("rrdatas", "origin", "hostNames", "zone", "zoneId", "cname", "txt")
    },
}
UNKNOWN_CASES = {
    "address": (k8s.DNS.but("records", 0, UNKNOWN), "records.0 is not known"),
    "origin": (k8s.CDN.but(*ORIGIN, "address", UNKNOWN), "address is not known"),
}
NOT_APPLICABLE = {
    "deployment": k8s.DEPLOYMENT,
    "component": k8s.COMPONENT,
    "provider": k8s.PROVIDER,
    "something else": Declared("random:index:RandomId", {"length": 8}),
    "provider of a DNS service": Declared("pulumi:providers:cloudflare", {}),
}
