"""Fields of CloudNativePG's Cluster: RES-007, and SEC-002 for its image.

Its operator makes pods out of it with every secret of the namespace in reach. So a field that runs or reads something
is named here or refused: `env` and `projectedVolumeTemplate` would read the owner's password, `imageCatalogRef` or the
annotation `cnpg.io/podPatch` would run another program with it. What an update leaves as it was is not asked about: a
failover must not fail because of a field that was there before, and drift tells of that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.admission.declared_images import is_declared
from policies.admission.labels import NOT_LEAVING
from policies.admission.language import AdmissionPolicy, Resources, Validation, either, every, literal
from policies.admission.loose import loose
from policies.admission.site_facts import SiteFacts
from policies.residency.res_010_database_replication_inside_pair import REDIRECTING_PARAMETERS
from policies.residency.res_011_databases_lead_nowhere import (
    POWERS,
    SERVICES,
    STATEMENT_KEYS,
    STATEMENT_REFERENCES,
)
from shopsphere.estate.databases import AUTHORITY_SECRET, DATABASES, REPLICATION_SECRET, DatabaseModel
from shopsphere.estate.placement import LOST_NODE_TAINTS
from shopsphere.estate.site_declaration import DATABASE_IMAGE

ANNOTATIONS = tuple(
    f"cnpg.io/{name}"
    for name in ("skipWalArchiving", "fencedInstances", "reloadedAt", "reconciliationLoop", "hibernation")
)
"""The operator's own that say whether instances run and where their log goes; others patch pods or open ways in."""
_JUDGED = ("backup", "plugins", "superuserSecret", "tablespaces", "walStorage")
"""Other policies say what they may hold."""
_DECLARED = (
    "affinity", "bootstrap", "certificates", "enableSuperuserAccess", "externalClusters", "imageName",
    "imagePullPolicy", "inheritedMetadata", "instances", "managed", "postgresql", "primaryLease", "priorityClassName",
    "replica", "resources", "smartShutdownTimeout", "stopDelay", "storage", "switchoverDelay",
)  # fmt: skip
_HARMLESS = (
    "description", "enablePDB", "ephemeralVolumesSizeLimit", "failoverDelay", "livenessProbeTimeout", "logLevel",
    "maxSyncReplicas", "minSyncReplicas", "monitoring", "nodeMaintenanceWindow", "postgresGID", "postgresUID",
    "primaryUpdateMethod", "primaryUpdateStrategy", "probes", "replicationSlots", "startDelay",
    "topologySpreadConstraints",
)  # fmt: skip
"""Numbers, times and turns; most of them the API server or CloudNativePG 1.30 fills in."""
TOP = (*_DECLARED, *_HARMLESS, *_JUDGED)
_DATABASE = ("database", "owner", "secret")
_OF_STORAGE = ("size", "storageClass", "resizeInUseVolumes", "pvcTemplate")
_OF_CLAIM = ("accessModes", "resources", "selector", "storageClassName")
_OF_INITDB = (
    *_DATABASE, "dataChecksums", "encoding", "locale", "localeCollate", "localeCType", "walSegmentSize", "import",
    *STATEMENT_KEYS, *STATEMENT_REFERENCES,
)  # fmt: skip
PARTS: Mapping[str, tuple[str, ...]] = {
    "affinity": ("nodeSelector", "enablePodAntiAffinity", "podAntiAffinityType", "topologyKey", "tolerations"),
    "bootstrap": ("initdb", "pg_basebackup", "recovery"),
    "bootstrap.initdb": _OF_INITDB,
    "bootstrap.initdb.import": ("type", "databases", "source", "schemaOnly"),
    "bootstrap.pg_basebackup": (*_DATABASE, "source"),
    "inheritedMetadata": ("labels",),
    "managed": ("roles", "services"),
    "postgresql": (
        "parameters", "synchronous", "syncReplicaElectionConstraint", "promotionTimeout", "enableAlterSystem",
        "pg_hba", "pg_ident", "shared_preload_libraries", "extensions", "ldap",
    ),
    "replica": ("self", "primary", "source", "promotionToken", "enabled", "minApplyDelay"),
    "resources": ("requests", "limits"),
    "storage": _OF_STORAGE,
    "storage.pvcTemplate": _OF_CLAIM,
    "walStorage": _OF_STORAGE,
    "walStorage.pvcTemplate": _OF_CLAIM,
}  # fmt: skip
"""Fields of parts of `spec`, by the part's path; those that another policy judges are among them."""
_OUTSIDE = (
    "name",
    "connectionParameters",
    "sslCert",
    "sslKey",
    "sslRootCert",
    "password",
    "barmanObjectStore",
    "plugin",
)
_CONNECTION = ("host", "hostaddr", "port", "user", "dbname", "sslmode", "connect_timeout", *REDIRECTING_PARAMETERS)
_OF_ROLE = (
    "name", "ensure", "login", "inherit", "connectionLimit", "passwordSecret", "comment", "validUntil", "inRoles",
    *POWERS,
)  # fmt: skip
_OF_TOLERATION = ("key", "operator", "effect", "tolerationSeconds")
_CATALOGUE = "imageCatalogRef"
_NO_CATALOGUE = "an image by the name of a catalogue, which is another one whenever the catalogue is changed"
_NAMES = "request.?namespace.orValue('') == variables.wanted.?namespace.orValue('-')"


def policy(facts: SiteFacts) -> AdmissionPolicy:
    """Return the policy about fields of databases of one site."""
    wanted = {each.cluster(facts.site): _wanted(each) for each in DATABASES if facts.images}
    return AdmissionPolicy(
        "database-fields",
        (Resources("postgresql.cnpg.io", ("clusters",)),),
        (
            # Of several policies that refuse, the API server names any: this one says what the other one does.
            Validation("SEC-002", f"!({literal(_CATALOGUE)} in variables.spec)", f"spec.{_CATALOGUE}: {_NO_CATALOGUE}"),
            Validation("RES-007", _all_known("spec", TOP), "spec: a field that runs or reads what no rule judges"),
            *_parts(),
            *_lists(),
            Validation(
                "RES-007",
                either(
                    "request.operation == 'UPDATE'", f"!object.metadata.name.endsWith({literal(facts.site)})", _NAMES
                ),
                "metadata: a database of another name or in another namespace than its site declares",
            ),
            *_secrets(),  # of a name that is known; another one is refused above, or by RES-010
            _annotations(),
            _image(facts),
        ),
        {
            "spec": "dyn(object.spec)",
            "before": "request.operation == 'UPDATE' ? dyn(oldObject.spec) : dyn({})",
            "wanted": f"dyn({loose(wanted)})[?object.metadata.?name.orValue('')].orValue(dyn({{}}))",
        },
        NOT_LEAVING,
    )


def _wanted(database: DatabaseModel) -> dict[str, Any]:
    certificates = {
        "serverCASecret": AUTHORITY_SECRET,
        "serverTLSSecret": database.server_secret,
        "clientCASecret": AUTHORITY_SECRET,
        "replicationTLSSecret": REPLICATION_SECRET,
    }
    return {
        "namespace": database.namespace.name,
        "certificates": certificates,
        "owner": {"name": database.owner_secret},
        "logins": {each.role: {"name": database.login_secret(each.name)} for each in database.logins},
    }


def _as_before(field: str) -> str:
    key = literal(field)
    return f"{key} in variables.before && {key} in variables.spec && variables.before[{key}] == variables.spec[{key}]"


def _all_known(place: str, names: tuple[str, ...]) -> str:
    as_before = "k in variables.before && variables.before[k] == variables.spec[k]"
    return f"variables.{place}.all(k, k in {literal(sorted(names))} || ({as_before}))"


def _parts() -> tuple[Validation, ...]:
    found = []
    for path, names in PARTS.items():
        value = f"variables.spec{''.join(f'.?{each}' for each in path.split('.'))}.orValue(dyn({{}}))"
        known = f"{value}.all(k, k in {literal(sorted(names))})"
        found.append(
            Validation(
                "RES-007",
                either(_as_before(path.partition(".")[0]), known),
                f"spec.{path}: a field that runs or reads what no rule judges",
            )
        )
    return tuple(found)


def _lists() -> tuple[Validation, ...]:
    roles = "variables.spec.?managed.?roles.orValue(dyn([]))"
    outside = "variables.spec.?externalClusters.orValue(dyn([]))"
    services = "variables.spec.?managed.?services.?additional.orValue(dyn([]))"
    tolerated = "variables.spec.?affinity.?tolerations.orValue(dyn([]))"
    checks = (
        (
            "affinity",
            "affinity.tolerations",
            f"{tolerated}.all(t, t.all(k, k in {literal(sorted(_OF_TOLERATION))}) && "
            f"t.?key.orValue('') in {literal(LOST_NODE_TAINTS)} && t.?effect.orValue('') == 'NoExecute')",
        ),
        (
            "managed",
            "managed.services.additional.serviceTemplate.metadata",
            f"{services}.all(s, s.?serviceTemplate.?metadata.orValue(dyn({{}})).all(k, k in ['name', 'labels']))",
        ),
        ("managed", "managed.roles", f"{roles}.all(r, r.all(k, k in {literal(sorted(_OF_ROLE))}))"),
        (
            "externalClusters",
            "externalClusters",
            f"{outside}.all(c, c.all(k, k in {literal(sorted(_OUTSIDE))}) && "
            f"c.?connectionParameters.orValue(dyn({{}})).all(k, k in {literal(sorted(_CONNECTION))}))",
        ),
    )
    return tuple(
        Validation(
            "RES-007",
            either(_as_before(field), expression),
            f"spec.{place}: a field that runs or reads what no rule judges",
        )
        for field, place, expression in checks
    )


def _secrets() -> tuple[Validation, ...]:
    """Each secret has the name that the component gives it: another one's content could be handed out as its own."""
    roles = "variables.spec.?managed.?roles.orValue(dyn([]))"
    outside = "variables.spec.?externalClusters.orValue(dyn([]))"
    owners = every(
        *(
            f"variables.spec.?bootstrap.?{way}.?secret.orValue(variables.wanted.?owner.orValue(dyn({{}}))) == "
            "variables.wanted.?owner.orValue(dyn({}))"
            for way in ("initdb", "pg_basebackup", "recovery")
        )
    )
    checks = (
        (
            "certificates",
            "variables.spec.?certificates.orValue(dyn({})) == variables.wanted.?certificates.orValue(dyn({'-': '-'}))",
        ),
        ("bootstrap", owners),
        (
            "managed",
            f"{roles}.all(r, !(r.name in {literal(sorted(SERVICES))}) || "
            "(r.name in variables.wanted.?logins.orValue(dyn({})) && r.?passwordSecret.orValue(dyn({})) == "
            "variables.wanted.logins[r.name] && r.?ensure.orValue('present') == 'present'))",
        ),
        (
            "externalClusters",
            f"{outside}.all(c, "
            + every(
                *(
                    f"c.?{key}.?name.orValue({literal(name)}) == {literal(name)} && "
                    f"c.?{key}.?key.orValue({literal(entry)}) == {literal(entry)}"
                    for key, name, entry in (
                        ("sslCert", REPLICATION_SECRET, "tls.crt"),
                        ("sslKey", REPLICATION_SECRET, "tls.key"),
                        ("sslRootCert", AUTHORITY_SECRET, "ca.crt"),
                    )
                )
            )
            + ")",
        ),
    )
    return tuple(
        Validation(
            "RES-007",
            either("variables.wanted.size() == 0", _as_before(field), expression),
            f"spec.{field}: a secret or a login of another name than the component gives it",
        )
        for field, expression in checks
    )


def _annotations() -> Validation:
    own = "object.metadata.?annotations.orValue({})"
    old = "oldObject.metadata.?annotations.orValue({})"
    as_before = f"request.operation == 'UPDATE' && k in {old} && {old}[k] == {own}[k]"
    return Validation(
        "RES-007",
        f"{own}.all(k, !k.contains('cnpg.io/') || k in {literal(sorted(ANNOTATIONS))} || ({as_before}))",
        "metadata.annotations: one that patches pods, or that the operator reads for what no rule judges; allowed: "
        f"{', '.join(sorted(ANNOTATIONS))}",
    )


def _image(facts: SiteFacts) -> Validation:
    images = [facts.images[DATABASE_IMAGE]] if DATABASE_IMAGE in facts.images else []
    declared = is_declared("[variables.spec.?imageName.orValue('')]", images)
    return Validation(
        declared.rule, either(_as_before("imageName"), declared.expression), f"spec.imageName: {declared.message}"
    )
