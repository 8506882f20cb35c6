"""What both sites of a pair must share: a certificate authority, certificates and passwords.

Stored encrypted in the configuration of both its stacks, and renewed by `shopsphere rotate` (docs/rotate.md). The
authority's private key is thrown away after it has signed: no later certificate can be issued in its name, and renewing
the certificates means a new authority, which is believed beside the old one until nothing of that is left.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shopsphere.estate.databases import DATABASES
from shopsphere.foundation.certificates import certificate_builder
from shopsphere.topology import Pair, Topology

CA_LIFETIME = timedelta(days=3653)  # 10 years: outlives every certificate it signed
LEAF_LIFETIME = timedelta(days=730)  # 2 years; `shopsphere rotate` renews them at any time before
CLOCK_TOLERANCE = timedelta(minutes=5)
REPLICATION_USER = "streaming_replica"  # CloudNativePG's replication role; its pg_hba.conf maps the CN to it

PAYMENTS_CALL_KEY = "paymentsCallKey"
"""What the shop and the payments service prove to each other who they are by."""

SESSION_SECRET = "sessionSecret"  # noqa: S105 the name of a secret is no secret
"""What the storefront signs cookies with."""
AUTHORITY = "pairCaCertificate"
"""Certificate of the authority of the pair's databases; of two of them, one after the other, while it is renewed."""
CERTIFICATE_NAMES = (
    *(f"{database.name}ServerCertificate" for database in DATABASES),
    *(f"{database.name}ServerKey" for database in DATABASES),
    "replicationCertificate",
    "replicationKey",
)
"""What the authority vouches for, and the keys of it."""
OWNER_PASSWORD_NAMES = tuple(f"{database.name}Password" for database in DATABASES)
SERVICE_PASSWORD_NAMES = tuple(database.login_password(each.name) for database in DATABASES for each in database.logins)
PAIR_SECRET_NAMES = (
    AUTHORITY,
    *CERTIFICATE_NAMES,
    *OWNER_PASSWORD_NAMES,
    SESSION_SECRET,
    *SERVICE_PASSWORD_NAMES,
    PAYMENTS_CALL_KEY,
)
"""Keys of a stack's configuration, all under `shopsphere:` and all secret, that `generate_pair_secrets` fills."""

BELIEVED_BESIDE = (SESSION_SECRET, PAYMENTS_CALL_KEY, *SERVICE_PASSWORD_NAMES)
"""Secrets of which pods are given two while they are renewed: the one that they use, and one that they believe too."""


def other_name(name: str) -> str:
    """Return the key of the configuration with the secret before or after the one under `name`."""
    return f"{name}Other"


OTHER_SECRET_NAMES = tuple(map(other_name, (AUTHORITY, *CERTIFICATE_NAMES, *BELIEVED_BESIDE)))
"""Keys of a stack's configuration that are there only while something is renewed, and then in both stacks of a pair."""

ADDABLE_SECRET_NAMES = frozenset({*SERVICE_PASSWORD_NAMES, PAYMENTS_CALL_KEY})
"""Those that a pair of an older version lacks, and that are made for it: nothing else was signed or set with them."""

GATEWAY_SECRET_NAMES = ("gatewayTlsCertificate", "gatewayTlsKey")
"""Those of the site's gateway, which are its own."""
ARCHIVE_SECRET_NAMES = tuple(f"{database.name}ArchiveSecret" for database in DATABASES)
"""Those of the accounts that a site's collectors have at the archive of its jurisdiction, where there is one."""
SITE_SECRET_NAMES = (*PAIR_SECRET_NAMES, *GATEWAY_SECRET_NAMES)
"""Those that every site of a pair has to have."""

PSP_API_KEY = "pspApiKey"
OWNER_SECRET_NAMES = (PSP_API_KEY,)
"""Secrets that nothing here can make: what others know the owner by. The lab, whose provider is simulated, has none."""


def generate_pair_secrets(topology: Topology, pair: Pair | str, *, now: datetime | None = None) -> dict[str, str]:
    """Make a pair's secrets.

    Args:
        topology: gives the addresses of the pair's sites.
        pair: the pair or its name.
        now: start of the certificates' validity; the present unless a test says otherwise.

    Returns:
        PEM texts and passwords by the names of `PAIR_SECRET_NAMES`.
    """
    members = topology.pair(pair) if isinstance(pair, str) else pair
    made = generate_certificates(topology, members, now=now)
    made |= {name: new_password() for name in (*OWNER_PASSWORD_NAMES, *SERVICE_PASSWORD_NAMES)}
    made |= {name: new_key() for name in (SESSION_SECRET, PAYMENTS_CALL_KEY)}
    return {name: made[name] for name in PAIR_SECRET_NAMES}


def generate_certificates(topology: Topology, pair: Pair, *, now: datetime | None = None) -> dict[str, str]:
    """Make an authority and all that it vouches for; as `generate_pair_secrets`, of the certificates alone."""
    start = (now or datetime.now(UTC)) - CLOCK_TOLERANCE
    authority = Authority(f"shopsphere {pair.name} databases", start)
    addresses = [each for site in pair.sites for each in topology.site(site).addresses]
    made = {AUTHORITY: authority.certificate_text}
    for database in DATABASES:
        certificate, key = authority.issue_server(database.server_names(pair.sites), addresses)
        made |= {f"{database.name}ServerCertificate": certificate, f"{database.name}ServerKey": key}
    made["replicationCertificate"], made["replicationKey"] = authority.issue_client(REPLICATION_USER)
    return made


def new_password() -> str:
    """Return a password of a database's login."""
    return secrets.token_urlsafe(32)


def new_key() -> str:
    """Return a key that services sign with."""
    return secrets.token_urlsafe(48)


class Authority:
    """A certificate authority that lives as long as this object.

    Args:
        name: that its certificate has.
        start: of the validity of all that it signs.
    """

    def __init__(self, name: str, start: datetime) -> None:
        self._start = start
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        usage = x509.KeyUsage(
            key_cert_sign=True, crl_sign=True, digital_signature=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = (
            certificate_builder(self._name, self._name, self._key.public_key(), start, start + CA_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
        )
        self.certificate_text = _pem(builder.sign(self._key, hashes.SHA256()))

    def issue_server(self, names: list[str], addresses: list[IPv4Address]) -> tuple[str, str]:
        """Return certificate and key of a server that answers under `names` and `addresses`."""
        alternatives = [*map(x509.DNSName, names), *map(x509.IPAddress, addresses)]
        return self._issue(names[0], [ExtendedKeyUsageOID.SERVER_AUTH], x509.SubjectAlternativeName(alternatives))

    def issue_broker(self, name: str, names: list[str], addresses: list[IPv4Address]) -> tuple[str, str]:
        """Return certificate and key of a server that is a client of itself, too."""
        alternatives = [*map(x509.DNSName, names), *map(x509.IPAddress, addresses)]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        return self._issue(name, usages, x509.SubjectAlternativeName(alternatives), for_java=True)

    def issue_client(self, user: str, *, for_java: bool = False) -> tuple[str, str]:
        """Return certificate and key of a user, of a database's or of the event log's."""
        return self._issue(user, [ExtendedKeyUsageOID.CLIENT_AUTH], None, for_java=for_java)

    def _issue(
        self,
        name: str,
        usages: list[x509.ObjectIdentifier],
        alternatives: x509.SubjectAlternativeName | None,
        *,
        for_java: bool = False,
    ) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            certificate_builder(_name(name), self._name, key.public_key(), self._start, self._start + LEAF_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if alternatives is not None:
            builder = builder.add_extension(alternatives, critical=False)
        return _pem(builder.sign(self._key, hashes.SHA256())), _key_text(key, for_java=for_java)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_text(key: ec.EllipticCurvePrivateKey, *, for_java: bool) -> str:
    # Traditional form: what libpq of every supported PostgreSQL reads for an EC key. Java reads no other than PKCS #8.
    form = serialization.PrivateFormat.PKCS8 if for_java else serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
