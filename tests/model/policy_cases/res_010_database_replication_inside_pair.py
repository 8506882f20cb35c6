from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared
from shopsphere.estate.placement import SITE_LABEL

SPEC = k8s.DATABASE.props["spec"]
HOST = ("spec", "externalClusters", 1, "connectionParameters", "host")
PARAMETERS = ("spec", "externalClusters", 1, "connectionParameters")
STANDBYS = ("spec", "postgresql", "synchronous", "standbyNamesPre")
SUBSCRIPTION = Declared(
    "kubernetes:postgresql.cnpg.io/v1:Subscription",
    {"metadata": {"labels": k8s.labels("payment")}, "spec": {"externalClusterName": "ledger-dublin"}},
)

GOOD = {
    "member": k8s.DATABASE,
    "alone": k8s.DATABASE.but("spec", {"instances": 1.0, "bootstrap": {"initdb": {"database": "ledger"}}}),
    "host by name": k8s.DATABASE.but(*HOST, "dublin.shopsphere.test"),
    "subscription": SUBSCRIPTION,
    "without a site, which another rule refuses": k8s.DATABASE.but("metadata", "labels", SITE_LABEL, REMOVED),
}
BAD = {
    "host in another jurisdiction": (
        k8s.DATABASE.but(*HOST, "10.99.0.21"),
        "spec.externalClusters[1].connectionParameters.host: 10.99.0.21",
        "10.99.0.12 (dublin)",
    ),
    "second host in another jurisdiction": (k8s.DATABASE.but(*HOST, "10.99.0.12, 10.99.0.21"), "host: 10.99.0.21"),
    "hostaddr in another jurisdiction": (
        k8s.DATABASE.but(*PARAMETERS, "hostaddr", "10.99.0.31"),
        "connectionParameters.hostaddr: 10.99.0.31",
    ),
    "host by another site's name": (k8s.DATABASE.but(*HOST, "ashburn.shopsphere.test"), "ashburn.shopsphere.test"),
    "host by its own service": (k8s.DATABASE.but(*HOST, "ledger-frankfurt-rw.data-ledger.svc"), "data-ledger.svc"),
    "host by another database's service": (k8s.DATABASE.but(*HOST, "commerce-frankfurt-rw"), "commerce-frankfurt-rw"),
    "host of the internet": (k8s.DATABASE.but(*HOST, "replica.example.com"), "replica.example.com"),
    "no host": (k8s.DATABASE.but(*PARAMETERS, {"port": "30033"}), "has no host"),
    "host from a file": (k8s.DATABASE.but(*PARAMETERS, "service", "copy"), "connectionParameters.service"),
    "from an object store": (
        k8s.DATABASE.but("spec", "externalClusters", 1, "barmanObjectStore", {"destinationPath": "s3://x"}),
        "barmanObjectStore, a store that may be anywhere",
    ),
    "name of an outside cluster": (k8s.DATABASE.but("spec", "externalClusters", 1, "name", "x"), "[1].name: x"),
    "source of the replica": (
        k8s.DATABASE.but("spec", "replica", "source", "ledger-ashburn"),
        "spec.replica.source: ledger-ashburn",
        "ledger-dublin, ledger-frankfurt",
    ),
    "primary of the replica": (k8s.DATABASE.but("spec", "replica", "primary", "ledger-sydney"), "replica.primary"),
    "self of the replica": (k8s.DATABASE.but("spec", "replica", "self", "ledger-newyork"), "replica.self"),
    "source of the base backup": (
        k8s.DATABASE.but("spec", "bootstrap", "pg_basebackup", "source", "ledger-chicago"),
        "spec.bootstrap.pg_basebackup.source: ledger-chicago",
    ),
    "source of the recovery": (
        k8s.DATABASE.but("spec", "bootstrap", {"recovery": {"source": "backup"}}),
        "spec.bootstrap.recovery.source: backup",
    ),
    "source of the import": (
        k8s.DATABASE.but("spec", "bootstrap", {"initdb": {"import": {"source": {"externalCluster": "old"}}}}),
        "spec.bootstrap.initdb.import.source: old",
    ),
    "standby in another jurisdiction": (k8s.DATABASE.but(*STANDBYS, ["ledger-ashburn"]), "standbyNamesPre: ledger-ash"),
    "standby at the end": (
        k8s.DATABASE.but("spec", "postgresql", "synchronous", "standbyNamesPost", ["*"]),
        "standbyNamesPost: *",
    ),
    "another database's member": (k8s.DATABASE.but(*STANDBYS, ["commerce-dublin"]), "commerce-dublin"),
    "name of the peer": (
        k8s.DATABASE.but("metadata", "name", "ledger-dublin"),
        "metadata.name",
        "<database>-frankfurt",
    ),
    "name of no site": (k8s.DATABASE.but("metadata", "name", "pg"), "metadata.name: pg"),
    "generated name": (k8s.DATABASE.but("metadata", "name", REMOVED), "metadata.name: generated"),
    "outside clusters of the wrong shape": (k8s.DATABASE.but("spec", "externalClusters", "all"), "is a str"),
    "subscription to another jurisdiction": (
        SUBSCRIPTION.but("spec", "externalClusterName", "ledger-ashburn"),
        "spec.externalClusterName: ledger-ashburn",
    ),
    "subscription of no site": (SUBSCRIPTION.but("metadata", REMOVED), "no label of a known site"),
    "host from a file of services": (
        k8s.DATABASE.but("spec", "externalClusters", 0, "connectionParameters", "servicefile", "/x"),
        "connectionParameters.servicefile",
    ),
    "store behind a plugin": (
        k8s.DATABASE.but("spec", "externalClusters", 0, "plugin", {"name": "barman"}),
        "spec.externalClusters[0].plugin, a store that may be anywhere",
    ),
}
UNKNOWN_CASES = {
    "host": (k8s.DATABASE.but(*HOST, UNKNOWN), "connectionParameters.host is not known"),
    "source": (k8s.DATABASE.but("spec", "replica", "source", UNKNOWN), "spec.replica.source is not known"),
    "standby": (k8s.DATABASE.but(*STANDBYS, 0, UNKNOWN), "standbyNamesPre.0 is not known"),
}
NOT_APPLICABLE = {
    "deployment": k8s.DEPLOYMENT,
    "another Cluster": k8s.DATABASE.of("kubernetes:example.com/v1:Cluster"),
    "another kind of the operator": k8s.SETTINGS.of("kubernetes:postgresql.cnpg.io/v1:Backup"),
    "subscription to something else": k8s.SETTINGS.of("kubernetes:example.com/v1:Subscription"),
}
