"""What both sites of a pair must share: a certificate authority, certificates and passwords.

Made once per pair, stored encrypted in the configuration of both its stacks. The authority's private key is thrown away
after it has signed: no later certificate can be issued in its name, and renewing means making the whole set anew.
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
from shopsphere.topology import Pair, Topology

CA_LIFETIME = timedelta(days=3653)  # 10 years: outlives every certificate it signed
LEAF_LIFETIME = timedelta(days=730)  # 2 years: both sites take a new set in one change, so it is worth doing seldom
CLOCK_TOLERANCE = timedelta(minutes=5)
REPLICATION_USER = "streaming_replica"  # CloudNativePG's replication role; its pg_hba.conf maps the CN to it

PAIR_SECRET_NAMES = (
    "pairCaCertificate",
    *(f"{database.name}ServerCertificate" for database in DATABASES),
    *(f"{database.name}ServerKey" for database in DATABASES),
    "replicationCertificate",
    "replicationKey",
    *(f"{database.name}Password" for database in DATABASES),
    "sessionSecret",
)
"""Keys of a stack's configuration, all under `shopsphere:` and all secret, that `generate_pair_secrets` fills."""

GATEWAY_SECRET_NAMES = ("gatewayTlsCertificate", "gatewayTlsKey")
"""Those of the site's gateway, which are its own."""
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
    start = (now or datetime.now(UTC)) - CLOCK_TOLERANCE
    authority = _Authority(f"shopsphere {members.name} databases", start)
    addresses = [topology.site(site).address for site in members.sites]
    made = {"pairCaCertificate": authority.certificate_text}
    for database in DATABASES:
        certificate, key = authority.issue_server(database.server_names(members.sites), addresses)
        made |= {f"{database.name}ServerCertificate": certificate, f"{database.name}ServerKey": key}
        made[f"{database.name}Password"] = secrets.token_urlsafe(32)
    made["replicationCertificate"], made["replicationKey"] = authority.issue_client(REPLICATION_USER)
    made["sessionSecret"] = secrets.token_urlsafe(48)
    return {name: made[name] for name in PAIR_SECRET_NAMES}


class _Authority:
    """A certificate authority that lives as long as this object."""

    def __init__(self, name: str, start: datetime) -> None:
        self._start = start
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        usage = x509.KeyUsage(
            key_cert_sign=True, crl_sign=True, digital_signature=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = (
            _builder(self._name, self._name, self._key, start, CA_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
        )
        self.certificate_text = _pem(builder.sign(self._key, hashes.SHA256()))

    def issue_server(self, names: list[str], addresses: list[IPv4Address]) -> tuple[str, str]:
        """Return certificate and key of a server that answers under `names` and `addresses`."""
        alternatives = [*map(x509.DNSName, names), *map(x509.IPAddress, addresses)]
        return self._issue(names[0], ExtendedKeyUsageOID.SERVER_AUTH, x509.SubjectAlternativeName(alternatives))

    def issue_client(self, user: str) -> tuple[str, str]:
        """Return certificate and key of a database user."""
        return self._issue(user, ExtendedKeyUsageOID.CLIENT_AUTH, None)

    def _issue(
        self, name: str, usage: x509.ObjectIdentifier, alternatives: x509.SubjectAlternativeName | None
    ) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_name(name), self._name, key, self._start, LEAF_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if alternatives is not None:
            builder = builder.add_extension(alternatives, critical=False)
        return _pem(builder.sign(self._key, hashes.SHA256())), _key_text(key)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + lifetime)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_text(key: ec.EllipticCurvePrivateKey) -> str:
    # Traditional form: what libpq of every supported PostgreSQL reads for an EC key.
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()
