"""Edits of the estate's tables: workloads, databases, namespaces, placement, names; and of a project's program."""

from __future__ import annotations

from seeds.seed import REFUSED, Seed

WORKLOADS, DATABASES = "shopsphere/estate/workloads.py", "shopsphere/estate/databases.py"
DECLARATION, PLACEMENT = "shopsphere/estate/site_declaration.py", "shopsphere/estate/placement.py"
PAIR_STATE = "shopsphere/names/pair_state.py"
PERSONAL, PAYMENT = 'data_class="personal",', 'data_class="payment",'
RUN = "build_regional_site()\n"
PLANTED = "\nimport pulumi\n\npulumi.CustomResource({token!r}, 'planted', {props})\n"

# fmt: off
TABLES = (
    Seed("objects without an owner", PLACEMENT, "OWNER_LABEL: owner,", "", "lab-sydney", "RES-001",
         "has no shopsphere.io/owner"),
    Seed("a jurisdiction by another name", PLACEMENT, "JURISDICTION_LABEL: self.jurisdiction,",
         'JURISDICTION_LABEL: "europe",', "prod-dublin", "RES-001", "europe"),
    Seed("every site's data called European", PLACEMENT, "jurisdiction=topology.jurisdiction_of(site)",
         'jurisdiction="eu"', "prod-ashburn", "RES-003", "jurisdiction eu at site ashburn"),
    Seed("payments called aggregates", WORKLOADS, PAYMENT, 'data_class="aggregate",', "prod-frankfurt", "RES-003",
         "class aggregate"),
    Seed("the shop called public", WORKLOADS, PERSONAL, 'data_class="public",', "lab-frankfurt", "RES-009",
         "reads commerce"),
    Seed("payments called operational", WORKLOADS, PAYMENT, 'data_class="operational",', "prod-chicago", "RES-009",
         "reads ledger"),
    Seed("customers' database called operational", DATABASES, PERSONAL, 'data_class="operational",',
         "prod-chicago", REFUSED, "personal"),
    Seed("personal data reserved at headquarters", DECLARATION, 'NamespaceModel("reporting", "aggregate",',
         'NamespaceModel("reporting", "personal",', "lab-newyork", REFUSED, "aggregate"),
    Seed("the shop sends to headquarters", WORKLOADS, "calls=(PAYMENTS,),",
         'calls=(PAYMENTS,),\n    endpoints=("headquarters",),', "lab-singapore", "NET-002", "where newyork is"),
    Seed("the shop open to anybody", WORKLOADS, "calls=(PAYMENTS,),", "calls=(PAYMENTS,),\n    open_to_customers=True,",
         "lab-dublin", "NET-002", "anybody"),
    Seed("more than all power shared out", WORKLOADS, "power_percent=40,", "power_percent=90,",
         "lab-frankfurt", REFUSED, "a total under 100 %"),
    Seed("a workload without a namespace's name of its own", WORKLOADS, 'name="payments",', 'name="shop",',
         "lab-dublin", REFUSED, "more than one shop"),
    Seed("a synchronous standby at headquarters", DATABASES, '"standbyNamesPre": [peer],',
         '"standbyNamesPre": [peer, "ledger-newyork"],', "prod-singapore", "RES-010", "ledger-newyork"),
    Seed("a database's member without its site in its name", DATABASES, 'return f"{self.name}-{site}"',
         "return self.name", "lab-chicago", "RES-010", "metadata.name: commerce"),
    Seed("a bucket beside the site", "stacks/rdc-c/__main__.py", RUN,
         RUN + PLANTED.format(token="aws:s3/bucket:Bucket", props="{}"), "prod-sydney", "RES-007", "aws:s3/bucket"),
    Seed("a command at deployment", "stacks/hq/__main__.py", "build_headquarters()\n", "build_headquarters()\n"
         + PLANTED.format(token="command:local:Command", props="{'create': 'pg_dump'}"), "lab-newyork", "RES-007",
         "a command of the shell"),
    Seed("a role for everybody", "stacks/rdc-a/__main__.py", RUN,
         RUN + PLANTED.format(token="kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", props="{}"),
         "lab-dublin", "RES-007", "who may do more"),
    Seed("a Helm release", "stacks/rdc-b/__main__.py", RUN,
         RUN + PLANTED.format(token="kubernetes:helm.sh/v3:Release", props="{'chart': 'loki'}"),
         "prod-ashburn", "RES-006", "a Helm release"),
    Seed("a record of a cloud's DNS", "__main__.py", "build_edge()\n",
         "build_edge()\n" + PLANTED.format(token="aws:route53/record:Record", props="{'records': ['192.0.2.1']}"),
         "prod", "RES-031", "of which nobody knows"),
    Seed("customers led to addresses between sites", PAIR_STATE, "str(site.faces_customers_at)", "str(site.address)",
         "prod", "RES-031", "198.51.100.11"),
    Seed("all customers led to Ashburn", PAIR_STATE, "str(site.faces_customers_at)",
         'str(topology.site("ashburn").faces_customers_at)', "lab", "RES-031", "10.99.0.21"),
    Seed("customers of one jurisdiction led to another's pair", "shopsphere/names/steering.py",
         "if pair.jurisdiction == name", "if pair.jurisdiction != name", "lab", "RES-031", "led to rdc-b"),
)
FLEET = (
    Seed("names of Europe lead to Ashburn", PAIR_STATE, "str(site.faces_customers_at)",
         'str(topology.site("ashburn").faces_customers_at)', "prod", "FLT-005", "customers of eu", ("prod-ashburn",)),
    Seed("the shop's orders sent to headquarters", WORKLOADS, '"PAYMENTS_URL": PAYMENTS.url,',
         '"PAYMENTS_URL": "http://10.99.0.40:9000",', "lab-frankfurt", "FLT-003", "newyork", ("lab-newyork",)),
    Seed("the way to headquarters opened for the shop", WORKLOADS, "calls=(PAYMENTS,),",
         'calls=(PAYMENTS,),\n    endpoints=("headquarters",),', "lab-singapore", "FLT-007", "newyork",
         ("lab-newyork",)),
    Seed("programs that log in to another region's database", DATABASES, "@{self.host}:{POSTGRESQL_PORT}/",
         "@198.51.100.13:{self.replication_port}/", "prod-dublin", "FLT-008", "commerce-ashburn", ("prod-ashburn",)),
    Seed("a member that copies another region's", "components/postgres_spec.py", '"host": model.addresses[site],',
         '"host": "198.51.100.13",', "prod-dublin", "FLT-001", "commerce-ashburn", ("prod-ashburn",)),
    Seed("an archive at headquarters", "components/postgres_spec.py", '"externalClusters": [',
         '"backup": {"barmanObjectStore": {"destinationPath": "s3://wal", "endpointURL": "https://198.51.100.17:9000"}},'
         '\n        "externalClusters": [', "prod-ashburn", "FLT-002", "newyork", ("prod-newyork",)),
    Seed("access logs sent to another region", "components/haproxy.cfg.j2", "log stdout format raw local0 notice",
         "log 10.99.0.21:514 format raw local0 notice", "lab-dublin", "FLT-003", "ashburn", ("lab-ashburn",)),
    Seed("the shop's logs sent to another region", WORKLOADS, '"PAYMENTS_URL": PAYMENTS.url,',
         '"PAYMENTS_URL": PAYMENTS.url, "LOG_COLLECTOR": "http://10.99.0.21:4318",', "lab-dublin", "FLT-004", "ashburn",
         ("lab-ashburn",)),
    Seed("a CDN that fetches customers' pages", "components/edge/cdn_origin.py", '"paths": list(self.paths),',
         '"paths": ["/"],', "prod", "FLT-006", "the CDN", ("prod-frankfurt",)),
    Seed("volumes on a share of headquarters", "components/pinned_storage.py", '"local": {"path": volume.path},',
         '"nfs": {"server": "198.51.100.17", "path": volume.path},', "prod-singapore", "FLT-009", "newyork",
         ("prod-newyork",)),
)
# fmt: on
