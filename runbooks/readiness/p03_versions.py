"""P3: what would take over is the same as what runs now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any

from runbooks.readiness.pair_view import PairView
from shopsphere.clients.cluster import Document
from shopsphere.estate.databases import DatabaseModel
from shopsphere.estate.site_declaration import REGIONAL_SITE
from shopsphere.foundation.finding import Finding, fails, passes, together

NAME = "Both sites run the same images, PostgreSQL versions and parameters"
DEPLOY = "`shopsphere preview` shows what differs, `shopsphere up` deploys the same to both"
DIGEST_DIGITS = 12  # 48 bits: enough to tell two builds apart, short enough to read
_NAMESPACES = frozenset(each.name for each in REGIONAL_SITE.namespaces)


def ask(view: PairView) -> Finding:
    """Compare pods and databases of both sites."""
    judged = view.judge_each({"images": partial(_images, view)})
    return together([*judged, *view.judge_databases(partial(_database, view))])


def _images(view: PairView) -> Finding:
    running = {site: images_of(view.items(site, "/api/v1/pods")) for site in (view.active, view.recovery)}
    return judge_same("images", running)


def _database(view: PairView, database: DatabaseModel) -> Finding:
    sites = (view.active, view.recovery)
    versions = {site: {"PostgreSQL": view.capacity(site, database).version} for site in sites}
    documents = {site: view.document(site, database)["spec"].get("postgresql", {}) for site in sites}
    parameters = {site: document.get("parameters", {}) for site, document in documents.items()}
    parts = [judge_same(f"{database.name}: version", versions), judge_same(f"{database.name}: parameters", parameters)]
    return together(parts)


def images_of(pods: Iterable[Document], namespaces: Collection[str] = _NAMESPACES) -> dict[str, str]:
    """Return the images of the containers that run in some namespaces, by `namespace/container`.

    Several at once during a rollout.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for pod in pods:
        metadata, status = pod["metadata"], pod["status"]
        owners = {owner["kind"] for owner in metadata.get("ownerReferences", [])}
        leaving = "deletionTimestamp" in metadata or status.get("phase") != "Running"
        if metadata["namespace"] not in namespaces or leaving or "Job" in owners:
            continue
        named = {container["name"]: container["image"] for container in pod["spec"]["containers"]}
        for container in status.get("containerStatuses", []):
            image = _image(named[container["name"]], container.get("imageID", ""))
            found[f"{metadata['namespace']}/{container['name']}"].add(image)
    return {place: ", ".join(sorted(images)) for place, images in found.items()}


def judge_same(what: str, by_site: Mapping[str, Mapping[str, Any]]) -> Finding:
    """Judge whether all sites have the same values under the same keys; `what` begins the line."""
    keys = sorted({key for values in by_site.values() for key in values})
    different = [key for key in keys if len({repr(values.get(key)) for values in by_site.values()}) > 1]
    if not different:
        return passes(f"{what}: {len(keys)} the same")
    listed = [f"{key} at {site} {values.get(key, 'none')}" for key in different for site, values in by_site.items()]
    return fails(f"{what} differ: {', '.join(listed)}", DEPLOY)


def _image(reference: str, identity: str) -> str:
    """Return the tag, and the digest where the runtime tells one: the registry may be another at each site."""
    _, known, digest = identity.rpartition("sha256:")
    tagged = reference.rpartition("/")[2]
    return f"{tagged} {digest[:DIGEST_DIGITS]}" if known else tagged
