"""A CDN distribution for static assets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from components.edge.providers.checks import Checks, changed, is_url
from shopsphere.clients import cdn_agent
from shopsphere.clients.cdn_agent import Cdn, Document
from shopsphere.clients.edge_errors import AdoptionError, VerificationError
from shopsphere.clients.edge_identity import KEYS_FOLDER
from shopsphere.foundation.whole_numbers import whole

DOCUMENT = (
    *("name", "hostNames", "dataClass", "paths", "origins", "originName", "policy"),
    *("probe", "defaultTtlSeconds", "staleSeconds"),
)
INPUTS = ("endpoint", KEYS_FOLDER, *DOCUMENT)
PUBLIC = "public"
ONE_DAY = 86_400
_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_PATH = re.compile(r"(/[A-Za-z0-9_-]+)+/")
ABSENT = "absent"


class CdnDistributionProvider(ResourceProvider):
    """Puts a distribution and reads it back.

    State has the inputs and `live`, the CDN's own document as one line. No key is in either.
    """

    serialize_as_secret_always = False
    """The provider holds nothing secret, and an encrypted provider would be a different text at each run."""

    def connect(self, props: Mapping[str, Any]) -> Cdn:
        """Return the CDN; tests put another here."""
        return cdn_agent.connect(props)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the inputs; what a public cloud may not carry is refused here too, not by policy alone."""
        checks = Checks(news)
        if checks.keys(INPUTS):
            checks.keys_folder()
            checks.expect(is_url(news["endpoint"]), "endpoint", "an address like https://host:8082")
            checks.expect(news["dataClass"] == PUBLIC, "dataClass", f"{PUBLIC!r}: a CDN is outside every jurisdiction")
            checks.expect(news["paths"], "paths", "at least one path prefix")
            static = all(_PATH.fullmatch(path) for path in news["paths"])
            checks.expect(static, "paths", "plain folders, like /static/")
            checks.expect(news["hostNames"], "hostNames", "at least one name")
            checks.expect(news["origins"], "origins", "at least one origin")
            checks.expect(
                isinstance(news["originName"], str) and _NAME.fullmatch(news["originName"]),
                "originName",
                "the name in each origin's certificate: without one anybody on the way could answer for an origin",
            )
            checks.expect(news["staleSeconds"] >= ONE_DAY, "staleSeconds", f"at least {ONE_DAY} s")
        return checks.result()

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare the declaration with the inputs of last time and with what was live when it was last read."""
        differences = changed(_olds, _news, INPUTS)
        drifted = _olds.get("live") != _line(_document(_news))
        replaces = [key for key in differences if key == "name"]
        return DiffResult(changes=bool(differences) or drifted, replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Put the distribution; one that is there already is taken over when it is equal, and refused when not."""
        cdn, wanted = self.connect(props), _document(props)
        found = cdn.get(props["name"])
        if found is not None and _line(found) != _line(wanted):
            raise AdoptionError.build(
                f"CDN distribution {props['name']} exists already",
                expected=_line(wanted),
                found=_line(found),
                action="delete it by hand if nobody needs it, or declare what it says",
            )
        return CreateResult(props["name"], _put(cdn, props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Report the CDN's own document."""
        found = self.connect(props).get(props["name"])
        return ReadResult("" if found is None else id_, _outputs(found, props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Put the distribution."""
        return UpdateResult(_put(self.connect(_news), _news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the distribution."""
        self.connect(_props).delete(_props["name"])


def _put(cdn: Cdn, props: Mapping[str, Any]) -> dict[str, Any]:
    wanted = _document(props)
    cdn.put(props["name"], wanted)
    found = cdn.get(props["name"])
    if found is None or _line(found) != _line(wanted):
        raise VerificationError.build(
            f"the CDN does not show the distribution {props['name']} that it accepted",
            expected=_line(wanted),
            found=_line(found) if found else ABSENT,
            action="declare it in the form that the CDN shows",
        )
    return _outputs(found, props)


def _document(props: Mapping[str, Any]) -> Document:
    return {key: whole(props[key]) for key in DOCUMENT}


def _line(document: Document) -> str:
    return json.dumps(document, sort_keys=True)


def _outputs(found: Document | None, props: Mapping[str, Any]) -> dict[str, Any]:
    # What an older version deployed lacks some.
    return {**{key: props[key] for key in INPUTS if key in props}, "live": ABSENT if found is None else _line(found)}
