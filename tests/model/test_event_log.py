"""The event log's facts: its configuration, its certificates."""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.clicks.producing import LARGEST_RECORD as LARGEST_OF_COLLECTOR
from components.event_log_settings import cluster_id, server_properties, start_command
from shopsphere.estate.event_log import EVENT_LOG_SECRET_NAMES, LARGEST_RECORD, topics, wanted_secrets
from shopsphere.estate.event_log_config import KafkaConfig
from shopsphere.estate.event_log_secrets import generate_event_log_secrets


def test_topics_are_those_of_the_design() -> None:
    found = {each.name: each for each in topics(KafkaConfig(size="2Gi"))}
    assert {name: (each.data_class, each.partitions, each.hours) for name, each in found.items()} == {
        "clicks": ("personal", 6, 24),
        "clicks.rejected": ("operational", 1, 168),
        "sessions": ("personal", 6, 720),
    }
    assert found["clicks"].settings == {
        "cleanup.policy": "delete",
        "retention.ms": "86400000",
        "retention.bytes": "67108864",
        "segment.bytes": "16777216",
        "max.message.bytes": "524288",
    }
    assert found["sessions"].settings["cleanup.policy"] == "compact,delete"


def test_the_collector_and_the_topic_agree_on_the_largest_record() -> None:
    assert LARGEST_RECORD == LARGEST_OF_COLLECTOR


def test_every_listener_wants_a_certificate_and_nobody_is_let_in_unasked() -> None:
    lines = dict(line.split("=", 1) for line in server_properties().splitlines())
    assert lines["listener.security.protocol.map"] == "CLIENTS:SSL,INSIDE:SSL,CONTROLLER:SSL"
    assert lines["ssl.client.auth"] == "required"
    assert lines["allow.everyone.if.no.acl.found"] == "false"
    assert lines["super.users"] == "User:kafka"
    assert lines["auto.create.topics.enable"] == "false"
    listeners = lines["listeners"].split(",")
    assert [each for each in listeners if "127.0.0.1" not in each] == ["CLIENTS://:9092"]


def test_heap_is_160_of_288_mebibytes() -> None:
    assert "-Xmx160m" in start_command(288)


def test_a_cluster_has_the_same_name_at_each_deployment_and_another_at_each_site() -> None:
    assert cluster_id("lab", "frankfurt") == cluster_id("lab", "frankfurt")
    assert (
        len({cluster_id(environment, site) for environment in ("lab", "prod") for site in ("frankfurt", "dublin")}) == 4
    )
    assert len(cluster_id("lab", "frankfurt")) == 22


def test_each_certificate_names_its_program_and_java_reads_the_keys() -> None:
    made = generate_event_log_secrets("rdc-a")
    assert tuple(made) == EVENT_LOG_SECRET_NAMES
    names = {}
    for name in ("kafkaServer", "kafkaCollector", "kafkaInsight"):
        certificate = x509.load_pem_x509_certificate(made[f"{name}Certificate"].encode())
        (common,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        names[name] = (common.value, ExtendedKeyUsageOID.SERVER_AUTH in usage)
        assert made[f"{name}Key"].startswith("-----BEGIN PRIVATE KEY-----")
        load_pem_private_key(made[f"{name}Key"].encode(), None)
    assert names == {
        "kafkaServer": ("kafka", True), "kafkaCollector": ("collector", False), "kafkaInsight": ("insight", False),
    }  # fmt: skip


def test_secrets_follow_from_the_configuration() -> None:
    assert wanted_secrets(None) == ()
    assert wanted_secrets({"size": "2Gi"}) == EVENT_LOG_SECRET_NAMES
    assert wanted_secrets({"bootstrapServers": "a:1"}) == ("kafkaPassword",)
