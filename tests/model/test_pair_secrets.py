"""What both sites of a pair share: certificates that survive a change of role, and passwords."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.estate.pair_secrets import PAIR_SECRET_NAMES, generate_pair_secrets
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    return generate_pair_secrets(TOPOLOGY, "rdc-a", now=NOW)


def certificate(secrets: dict[str, str], name: str) -> Certificate:
    return x509.load_pem_x509_certificate(secrets[name].encode())


def test_names_are_always_the_same(secrets: dict[str, str]) -> None:
    assert tuple(secrets) == PAIR_SECRET_NAMES
    assert tuple(generate_pair_secrets(TOPOLOGY, TOPOLOGY.pair("rdc-a"))) == PAIR_SECRET_NAMES


def test_values_are_never_the_same(secrets: dict[str, str]) -> None:
    again = generate_pair_secrets(TOPOLOGY, "rdc-a", now=NOW)
    assert not [name for name in PAIR_SECRET_NAMES if again[name] == secrets[name]]


def test_the_authoritys_key_is_kept_nowhere(secrets: dict[str, str]) -> None:
    public = certificate(secrets, "pairCaCertificate").public_key()
    keys = [value for value in secrets.values() if "PRIVATE KEY" in value]
    assert len(keys) == 3
    assert public not in [load_pem_private_key(key.encode(), None).public_key() for key in keys]


@pytest.mark.parametrize("database", DATABASES, ids=lambda database: database.name)
def test_the_server_is_known_under_every_name_of_both_sites(secrets: dict[str, str], database: DatabaseModel) -> None:
    store = Store([certificate(secrets, "pairCaCertificate")])
    leaf = certificate(secrets, f"{database.name}ServerCertificate")
    names = [database.host, *(f"{database.cluster(site)}-rw" for site in ("frankfurt", "dublin"))]
    addresses = [TOPOLOGY.site(site).address for site in ("frankfurt", "dublin")]
    subjects = [x509.DNSName(name) for name in names] + [x509.IPAddress(ipaddress.ip_address(a)) for a in addresses]
    for subject in subjects:
        PolicyBuilder().store(store).time(NOW + timedelta(days=700)).build_server_verifier(subject).verify(leaf, [])


def test_another_pairs_server_is_not_known(secrets: dict[str, str]) -> None:
    stranger = generate_pair_secrets(TOPOLOGY, "rdc-b", now=NOW)
    store = Store([certificate(secrets, "pairCaCertificate")])
    verifier = PolicyBuilder().store(store).time(NOW).build_server_verifier(x509.DNSName(DATABASES[0].host))
    with pytest.raises(x509.verification.VerificationError):
        verifier.verify(certificate(stranger, "commerceServerCertificate"), [])


def test_replication_logs_in_as_its_user(secrets: dict[str, str]) -> None:
    leaf = certificate(secrets, "replicationCertificate")
    assert [each.value for each in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["streaming_replica"]
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_lifetimes(secrets: dict[str, str]) -> None:
    authority, leaf = certificate(secrets, "pairCaCertificate"), certificate(secrets, "replicationCertificate")
    assert (authority.not_valid_after_utc - NOW).days // 365 == 10
    assert (leaf.not_valid_after_utc - NOW).days // 364 == 2


def test_keys_belong_to_their_certificates(secrets: dict[str, str], tmp_path: Path) -> None:
    for name in ("commerceServer", "ledgerServer", "replication"):
        chain, key = tmp_path / f"{name}.crt", tmp_path / f"{name}.key"
        chain.write_text(secrets[f"{name}Certificate"])
        key.write_text(secrets[f"{name}Key"])
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(chain, key)


def test_passwords_are_long_enough_for_the_shop(secrets: dict[str, str]) -> None:
    assert all(len(secrets[name]) >= 32 for name in ("commercePassword", "ledgerPassword", "sessionSecret"))
