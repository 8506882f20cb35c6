from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared

INITDB = ("spec", "bootstrap", "initdb")
PARAMETERS = ("spec", "postgresql", "parameters")
HBA = ("spec", "postgresql", "pg_hba")
PEER = ("spec", "externalClusters", 1)
MODE = (*PEER, "connectionParameters", "sslmode")
LOGIN = {
    "name": "payments_app", "ensure": "present", "login": True, "inherit": True, "connectionLimit": -1.0,
    "passwordSecret": {"name": "ledger-service"},
}  # fmt: skip
FOREIGN = "CREATE EXTENSION postgres_fdw"


def kind(group: str, name: str) -> Declared:
    """Another kind of the operator's."""
    return Declared(f"kubernetes:{group}/v1:{name}", {"metadata": {"labels": k8s.labels("payment")}})


GOOD = {
    "member": k8s.DATABASE,
    "role of the application": k8s.DATABASE.but(
        *INITDB, {"postInitApplicationSQL": ["CREATE ROLE payments_app NOLOGIN", "GRANT payments_app TO ledger"]}
    ),
    "roles of further programs": k8s.DATABASE.but(
        *INITDB, {"postInitApplicationSQL": ["CREATE ROLE insight_app NOLOGIN", "CREATE ROLE recommend_app NOLOGIN"]}
    ),
    "logins of further programs": k8s.DATABASE.but(
        "spec", "managed", {"roles": [{**LOGIN, "name": "insight_app"}, {**LOGIN, "name": "recommend_app"}]}
    ),
    "no archive": k8s.DATABASE.but(*INITDB, {"postInitSQL": ["ALTER SYSTEM SET restore_command = 'false'"]}),
    "memory": k8s.DATABASE.but(*PARAMETERS, {"shared_buffers": "64MB", "wal_keep_size": "1GB"}),
    "the whole certificate": k8s.DATABASE.but(*MODE, "verify-full"),
    "logins over TLS alone": k8s.DATABASE.but(
        *HBA, ["hostssl all all all scram-sha-256", "hostnossl all all all reject"]
    ),
    "login of the service": k8s.DATABASE.but("spec", "managed", {"roles": [LOGIN]}),
    "network's superuser off": k8s.DATABASE.but("spec", "enableSuperuserAccess", False),
}
BAD = {
    "backup to a store": (
        k8s.DATABASE.but("spec", "backup", {"barmanObjectStore": {"destinationPath": "s3://acme-us-east-1/eu"}}),
        "spec.backup: what it copies",
    ),
    "backup by a plugin": (k8s.DATABASE.but("spec", "plugins", [{"name": "barman-cloud"}]), "spec.plugins"),
    "rows for a monitoring": (
        k8s.DATABASE.but("spec", "monitoring", {"customQueriesConfigMap": []}),
        "spec.monitoring",
    ),
    "store of a plugin": (kind("barmancloud.cnpg.io", "ObjectStore"), "a ObjectStore: a copy of the database"),
    "scheduled backup": (kind("postgresql.cnpg.io", "ScheduledBackup"), "a ScheduledBackup"),
    "publication": (kind("postgresql.cnpg.io", "Publication"), "a Publication"),
    "pooler": (kind("postgresql.cnpg.io", "Pooler"), "a Pooler"),
    "restored from a backup": (
        k8s.DATABASE.but("spec", "bootstrap", {"recovery": {"backup": {"name": "x"}}}),
        "spec.bootstrap.recovery.backup",
    ),
    "restored from a snapshot": (
        k8s.DATABASE.but("spec", "bootstrap", {"recovery": {"volumeSnapshots": {}}}),
        "spec.bootstrap.recovery.volumeSnapshots",
    ),
    "foreign tables": (
        k8s.DATABASE.but(*INITDB, {"postInitApplicationSQL": [FOREIGN]}),
        FOREIGN,
        "allowed: ALTER SYSTEM SET restore_command = 'false'; CREATE ROLE",
    ),
    "publication by a statement": (
        k8s.DATABASE.but(*INITDB, {"postInitSQL": ["CREATE PUBLICATION p FOR ALL TABLES"]}),
        "postInitSQL[0]: CREATE PUBLICATION",
    ),
    "two statements in one": (
        k8s.DATABASE.but(*INITDB, {"postInitSQL": ["GRANT payments_app TO ledger; COPY x TO PROGRAM 'nc'"]}),
        "COPY x TO PROGRAM",
    ),
    "an owner with the rights of every program": (
        k8s.DATABASE.but(*INITDB, {"postInitSQL": ["GRANT insight_app TO commerce"]}),
        "postInitSQL[0]: GRANT insight_app",
    ),
    "statements of a template": (
        k8s.DATABASE.but(*INITDB, {"postInitTemplateSQL": [FOREIGN]}),
        "postInitTemplateSQL[0]",
    ),
    "statements from a file": (
        k8s.DATABASE.but(*INITDB, {"postInitApplicationSQLRefs": {"configMapRefs": []}}),
        "postInitApplicationSQLRefs: statements that nobody sees",
    ),
    "archive by a command": (k8s.DATABASE.but(*PARAMETERS, {"archive_command": "scp"}), "parameters.archive_command"),
    "another primary": (k8s.DATABASE.but(*PARAMETERS, {"primary_conninfo": "host=x"}), "primary_conninfo"),
    "TLS off": (k8s.DATABASE.but(*PARAMETERS, {"ssl": "off"}), "parameters.ssl"),
    "code that is loaded": (k8s.DATABASE.but(*PARAMETERS, {"local_preload_libraries": "x"}), "local_preload_libraries"),
    "library by the operator": (
        k8s.DATABASE.but("spec", "postgresql", "shared_preload_libraries", ["pglogical"]),
        "spec.postgresql.shared_preload_libraries",
    ),
    "login without a password": (k8s.DATABASE.but(*HBA, ["hostssl all all all trust"]), "pg_hba[0]: hostssl all all"),
    "login in the clear": (k8s.DATABASE.but(*HBA, ["host all all all scram-sha-256"]), "pg_hba[0]: host all all"),
    "login of a directory": (k8s.DATABASE.but("spec", "postgresql", "ldap", {"server": "x"}), "spec.postgresql.ldap"),
    "superuser of the network": (k8s.DATABASE.but("spec", "enableSuperuserAccess", True), "spec.enableSuperuserAccess"),
    "superuser's password": (k8s.DATABASE.but("spec", "superuserSecret", {"name": "x"}), "spec.superuserSecret"),
    "login beside the owner's": (
        k8s.DATABASE.but("spec", "managed", {"roles": [{"name": "crm"}]}),
        "spec.managed.roles[0]: crm, a login beside those of the services",
        "allowed: export_app, insight_app, payments_app, recommend_app, shop_app",
    ),
    "the owner's login": (
        k8s.DATABASE.but("spec", "managed", {"roles": [{"name": "ledger"}]}),
        "ledger, a login",
    ),
    "service that may do everything": (
        k8s.DATABASE.but("spec", "managed", {"roles": [{**LOGIN, "superuser": True}]}),
        "spec.managed.roles[0].superuser: a login that may do more",
    ),
    "service that may switch a power off": (
        k8s.DATABASE.but("spec", "managed", {"roles": [{**LOGIN, "createrole": False}]}),
        "spec.managed.roles[0].createrole",
    ),
    "service that reads all that there is": (
        k8s.DATABASE.but("spec", "managed", {"roles": [LOGIN, {**LOGIN, "inRoles": ["pg_read_all_data"]}]}),
        "spec.managed.roles[1].inRoles",
    ),
    "peer in the clear": (
        k8s.DATABASE.but(*MODE, "disable"),
        "externalClusters[1].connectionParameters.sslmode: disable",
    ),
    "peer that proves nothing": (k8s.DATABASE.but(*MODE, "require"), "sslmode: require", "verify-ca or verify-full"),
    "peer without a mode": (k8s.DATABASE.but(*MODE, REMOVED), "sslmode: missing"),
    "peer of any authority": (k8s.DATABASE.but(*PEER, "sslRootCert", REMOVED), "without sslRootCert"),
    "peer by a password": (k8s.DATABASE.but(*PEER, "password", {"name": "x"}), "externalClusters[1].password"),
    "backup on demand": (
        k8s.SETTINGS.of("kubernetes:postgresql.cnpg.io/v1:Backup"),
        "a Backup: a copy of the database",
    ),
    "state of another time": (
        k8s.DATABASE.but("spec", "bootstrap", {"recovery": {"source": "ledger-dublin", "recoveryTarget": {}}}),
        "spec.bootstrap.recovery.recoveryTarget",
    ),
    **{
        f"{key} of the server": (
            k8s.DATABASE.but("spec", "postgresql", key, ["x"]),
            f"spec.postgresql.{key}: who is let in",
        )
        for key in ("pg_ident", "extensions")
    },
}
UNKNOWN_CASES = {
    "statement": (k8s.DATABASE.but(*INITDB, {"postInitSQL": [UNKNOWN]}), "postInitSQL.0 is not known"),
    "mode": (k8s.DATABASE.but(*MODE, UNKNOWN), "sslmode is not known"),
}
NOT_APPLICABLE = {
    "deployment": k8s.DEPLOYMENT,
    "subscription, which another rule judges": kind("postgresql.cnpg.io", "Subscription"),
}
