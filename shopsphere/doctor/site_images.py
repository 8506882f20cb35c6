"""Whether a site can have its images: known to its nodes, or to be had from their registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus

import httpx

from shopsphere.clients.cluster import Document
from shopsphere.clients.web import trust_in
from shopsphere.doctor.site_api import SiteApi
from shopsphere.estate import stack_files
from shopsphere.foundation.finding import Finding, fails, passes, together, unknown

IMAGES_KEY = f"{stack_files.NAMESPACE}:images"
NO_REGISTRY = "localhost"
"""Images that are put onto the nodes: no registry has them."""

_MANIFESTS = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json"
_SECONDS = 3.0
Ask = Callable[[str, str, str], int]
"""Asks a registry (host, name, tag or digest) and returns its status; raises httpx.HTTPError."""


def images(api: SiteApi) -> Finding:
    """Look for each image of the stack at the nodes, else at its registry."""
    wanted = wanted_images(stack_files.wanted_configuration(api.stack))
    known = known_images(api.documents("/api/v1/nodes"))
    return judge_images(wanted, known)


def wanted_images(config: Mapping[str, object]) -> list[str]:
    """Return the images that a stack's configuration names."""
    named = config.get(IMAGES_KEY)
    return [str(each) for each in named.values()] if isinstance(named, dict) else []


def known_images(nodes: Iterable[Document]) -> set[str]:
    """Return the names of the images that nodes have; a kubelet tells its largest fifty."""
    return {name for node in nodes for image in node["status"].get("images", []) for name in image.get("names") or []}


def ask_registry(host: str, name: str, version: str) -> int:
    """Ask a registry for an image's manifest and return the status of its answer.

    The system's authorities count, as for the programs that pull: a registry is often behind its owner's own one.
    """
    answer = httpx.head(
        f"https://{host}/v2/{name}/manifests/{version}",
        headers={"Accept": _MANIFESTS},
        timeout=_SECONDS,
        verify=trust_in(None),
        trust_env=False,
    )
    return answer.status_code


def judge_images(wanted: Iterable[str], known: set[str], ask: Ask = ask_registry) -> Finding:
    """Judge whether each image is known to the nodes or to be had."""
    missing = [each for each in wanted if not {each, _without_tag(each)} & known]
    return together([_image(each, ask) for each in missing], nothing="all are at the nodes")


def _image(image: str, ask: Ask) -> Finding:
    if stack_files.PLACEHOLDER in image:
        return fails(f"{image} is not filled in", f"write your own image in {IMAGES_KEY}")
    host, _, rest = image.partition("/")
    if host == NO_REGISTRY:
        return fails(f"{image} is at no node, and no registry has it", "put it onto the nodes")
    rest = _without_tag(rest)
    name, mark, version = rest.partition("@") if "@" in rest else rest.rpartition(":")
    if not rest or not mark:
        return unknown(f"{image} names no registry with a tag or a digest")
    return _at_registry(image, partial(ask, host, name, version))


def _without_tag(image: str) -> str:
    """Return an image by its digest alone: a tag beside it says nothing more, and a kubelet leaves it out."""
    name, mark, digest = image.partition("@")
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}{mark}{digest}" if mark else image


def _at_registry(image: str, ask: Callable[[], int]) -> Finding:
    try:
        status = ask()
    except httpx.HTTPError as error:
        return unknown(f"{image}: its registry does not answer from here ({type(error).__name__})", "ask from the site")
    if status == HTTPStatus.OK:
        return passes(f"{image} is in its registry")
    if status == HTTPStatus.NOT_FOUND:
        return fails(f"{image} is not in its registry", "push it, or correct its name")
    return unknown(f"{image}: its registry answers {status} without credentials", "pull it at the site once")
