"""The archive of a jurisdiction's backups: S3, whose accounts write and read their own bucket and delete nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from attacked import Scene
from attempt import CLIENT, HOST, POD, PORT, SITE, STATUS, TLS_HELLO, Attempt, Control, Question, attempt, get, tcp

from lab.archive import ADMINISTRATION_PORT, archive_folder, buckets_of
from lab.hosts import archive_host
from shopsphere.estate.archive_keys import READER
from shopsphere.foundation.files import secret_in
from shopsphere.topology import ARCHIVE_PORT

_REGION, _MINUTES_15 = "us-east-1", 900
MANY_REFUSED = r"<DeleteResult><Error><Code>AccessDenied</Code>"
"""Of many objects each has an answer of its own, in one whose status is 200."""
LISTED_NOTHING = r"<Buckets></Buckets>|<Buckets/>"


def signed(method: str, url: str, account: str, secret: str, body: str = "") -> Question:
    """Return a question that is signed as S3 wants it."""
    from botocore.auth import S3SigV4Auth  # noqa: PLC0415 - 0.3 s, and no test needs it
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415

    headers = {"Content-MD5": base64.b64encode(hashlib.md5(body.encode(), usedforsecurity=False).digest()).decode()}
    request = AWSRequest(method, url, data=body.encode(), headers=headers if body else {})
    S3SigV4Auth(Credentials(account, secret), "s3", _REGION).add_auth(request)
    return get(url, method=method, headers=dict(request.headers.items()), **({"body": body} if body else {}))


def presigned(method: str, url: str, account: str, secret: str) -> str:
    """Return an address that is signed for 15 minutes."""
    from botocore.auth import S3SigV4QueryAuth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415

    request = AWSRequest(method, url)
    S3SigV4QueryAuth(Credentials(account, secret), "s3", _REGION, expires=_MINUTES_15).add_auth(request)
    return str(request.url)


def attempts(scene: Scene) -> Iterator[Attempt]:
    """Yield what strangers try at the archive, then what its gateway refuses those whom its host lets in."""
    archive = scene.topology.jurisdictions[scene.pair.jurisdiction].archive
    if not archive:
        return
    url = f"https://{archive.address}:{ARCHIVE_PORT}"
    host = archive_host(scene.pair.jurisdiction)
    buckets = buckets_of(scene.pair.sites)
    secrets = {each: secret_in(archive_folder(host) / f"{each}.secret") for each in (READER, *buckets)}
    own, other = buckets[0], buckets[1]
    lists = f"{url}/{own}?{urlencode({'list-type': 2, 'max-keys': 1})}"
    answers = Control(SITE, (signed("GET", lists, own, secrets[own]),), r"^http 200 .*ListBucketResult")
    for place in (CLIENT, HOST):
        asked = [get(f"{url}/"), get(f"{url}/{own}"), signed("GET", lists, own, secrets[own])]
        yield attempt("M5", "list the archive, with a site's secret too", place, asked, PORT, control=answers)
        yield attempt(
            "M5",
            "manage the archive's accounts",
            place,
            [tcp(archive.address, ADMINISTRATION_PORT, TLS_HELLO)],
            PORT,
            control=answers,
        )
    yield attempt(
        "M5", "reach the archive", POD, [tcp(archive.address, ARCHIVE_PORT, TLS_HELLO)], PORT, control=answers
    )
    yield attempt(
        "M5",
        "manage the archive's accounts from a site that writes there",
        SITE,
        [tcp(archive.address, ADMINISTRATION_PORT, TLS_HELLO)],
        PORT,
        control=answers,
    )
    theirs = scene.topology.jurisdictions[scene.other.jurisdiction].archive
    yield from _at_the_gateway(url, scene, secrets, (own, other), answers)
    if theirs and scene.other_is_up:
        there = [tcp(theirs.address, ARCHIVE_PORT, TLS_HELLO)]
        yield attempt(
            "M5",
            f"reach the archive of {scene.other.jurisdiction} with this pair's host",
            SITE,
            there,
            PORT,
            alone="its own sites are asked where that region is up: --pair and --other the other way round",
        )


def _at_the_gateway(
    url: str, scene: Scene, secrets: dict[str, str], names: tuple[str, str], answers: Control
) -> Iterator[Attempt]:
    """Yield what a site's account may not do; objects are named after this run, so that a log shows each."""
    own, other = names
    mark = scene.mark
    mine, theirs = f"{url}/{own}/{mark}", f"{url}/{other}/{mark}"
    more: dict[str, Any] = {"control": answers, "trace": mark}
    account = own, secrets[own]

    def tried(what: str, *questions: Question, **others: Any) -> Attempt:
        return attempt("M5", what, SITE, questions, STATUS, **{"statuses": (401, 403), **more, **others})

    yield tried(
        "read and write the archive without credentials",
        get(mine),
        get(mine, method="PUT", body="x"),
        get(mine, method="DELETE"),
    )
    yield tried("read the archive with a wrong secret", signed("GET", mine, own, "x" * 40))
    yield tried(
        "read another account's bucket",
        signed("GET", theirs, *account),
        signed("GET", f"{url}/{other}?prefix={mark}", *account),
    )
    yield tried("write into another account's bucket", signed("PUT", theirs, *account, body="x"))
    yield tried("write as the account that reads all", signed("PUT", mine, READER, secrets[READER], body="x"))
    yield tried(
        "delete from one's own bucket",
        signed("DELETE", mine, *account),
        signed("DELETE", f"{mine}?versionId=null", *account),
    )
    yield tried("delete from another account's bucket", signed("DELETE", theirs, *account))
    many = f"<Delete><Object><Key>{mark}</Key></Object></Delete>"
    yield tried(
        "delete many at once from one's own bucket",
        signed("POST", f"{url}/{own}?delete=&{mark}", *account, body=many),
        harmless=MANY_REFUSED,
        opens=("<Deleted>",),
    )
    grants = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}'
    yield tried(
        "change what others may do in one's own bucket",
        signed("PUT", f"{url}/{own}?policy=&x={mark}", *account, body=grants),
    )
    yield tried(
        "switch versions off in one's own bucket",
        signed(
            "PUT",
            f"{url}/{own}?versioning=&x={mark}",
            *account,
            body="<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>",
        ),
    )
    yield tried("make a bucket", signed("PUT", f"{url}/{mark}", *account))
    yield tried("delete one's own bucket", signed("DELETE", f"{url}/{own}?x={mark}", *account))
    yield tried(
        "list all buckets", signed("GET", f"{url}/", *account), harmless=LISTED_NOTHING, opens=(other,), trace=""
    )
    yield tried(
        "read with an address that was signed for another bucket",
        get(presigned("GET", mine, *account).replace(f"/{own}/", f"/{other}/")),
    )
    yield tried(
        "write with an address that was signed for reading",
        get(presigned("GET", mine, *account), method="PUT", body="x"),
    )
    yield tried("read another's object with one's own signed address", get(presigned("GET", theirs, *account)))
