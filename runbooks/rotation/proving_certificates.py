"""Whether databases serve and replicate with the certificates that they were given: asked of PostgreSQL itself."""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography import x509

from runbooks.rotation.renewal_run import Renewal
from runbooks.site_database import SiteDatabase
from shopsphere.clients.postgres import ask, run_statement

_LOADED = """
SELECT json_build_object(
    'digest',
    encode(sha256(convert_to(btrim(pg_read_file(current_setting('ssl_cert_file')), E' \\n\\r\\t'), 'UTF8')), 'hex'),
    'loaded', pg_conf_load_time() >= (pg_stat_file(current_setting('ssl_cert_file'))).modification)
"""
"""The certificate in the server's file, and whether PostgreSQL was told to load since that was written."""
_STREAMS = """
SELECT json_build_object('serials', coalesce(json_agg(s.client_serial::text), '[]'))
FROM pg_stat_replication r JOIN pg_stat_ssl s USING (pid)
WHERE r.application_name = '{name}' AND r.state = 'streaming'
"""
_END = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_replication JOIN pg_stat_ssl USING (pid)
WHERE application_name = '{name}' AND client_serial <> {serial}
"""


def reconnect(renewal: Renewal) -> None:
    """End the streams of the passive site that began with another certificate; they begin anew by themselves.

    Raises:
        ClusterError: the active site's API or an instance does not answer.
    """
    passive, active = renewal.rotation.sites

    def end(database: SiteDatabase) -> str:
        name = database.model.cluster(passive)
        return run_statement(*database.leader(), _END.format(name=name, serial=_serial(renewal)))

    renewal.rotation.access.each_database(active, end)


def problems(renewal: Renewal) -> list[str]:
    """Return what is not as it should be; none when the old authority is not needed any more.

    Every instance of a database is asked: one that does not lead may do so a moment after the old authority is gone.

    Raises:
        ClusterError: a site's API or an instance does not answer.
    """
    passive, active = renewal.rotation.sites
    access, new = renewal.rotation.access, renewal.new()

    def serves(database: SiteDatabase) -> str:
        wanted = hashlib.sha256(new[f"{database.model.name}ServerCertificate"].strip().encode()).hexdigest()
        answers = ((each[-1], ask(*each, _LOADED)) for each in database.instances())
        return "; ".join(filter(None, (judge_server(pod, wanted, answer) for pod, answer in answers)))

    def streams(database: SiteDatabase) -> str:
        name = database.model.cluster(passive)
        return judge_streams(name, _serial(renewal), ask(*database.leader(), _STREAMS.format(name=name)))

    found = [
        *access.each_database(active, serves),
        *access.each_database(passive, serves),
        *access.each_database(active, streams),
    ]
    return [each for each in found if each]


def judge_server(name: str, wanted: str, answer: dict[str, Any]) -> str:
    """Return why a server does not serve with a certificate; `wanted` is the SHA-256 of its text."""
    if answer["digest"] != wanted:
        return f"{name} has another certificate in its file"
    return "" if answer["loaded"] is True else f"{name} has not loaded its certificate"


def judge_streams(name: str, serial: int, answer: dict[str, Any]) -> str:
    """Return why a follower does not replicate by the certificate with a serial number."""
    serials = answer["serials"]
    if not serials:
        return f"{name} does not stream"
    return "" if set(serials) == {str(serial)} else f"{name} streams by another certificate"


def _serial(renewal: Renewal) -> int:
    return x509.load_pem_x509_certificate(renewal.new()["replicationCertificate"].encode()).serial_number
