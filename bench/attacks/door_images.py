"""Images that a site's API server takes: asked by the administrator, and only as a trial (`--dry-run=server`)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from attacked import Scene
from attempt import DESK, WORDS, Attempt, Control, Question, attempt

from lab.paths import kubeconfig_path
from shopsphere.foundation.paths import tools_directory

DENIED = r"denied request|is forbidden|SEC-002"


def tried(scene: Scene, image: str) -> Question:
    """Return the change of the shop's image, as a trial."""
    change = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]
    kubectl = [str(tools_directory() / "kubectl"), f"--kubeconfig={kubeconfig_path(scene.pair.primary)}"]
    patch = ["patch", "deployment", "shop", "-n", "shop", "--dry-run=server", "--type=json", "-p", json.dumps(change)]
    return {"run": [*kubectl, *patch]}


def attempts(scene: Scene) -> Iterator[Attempt]:
    """Yield images that are none of the declared ones; the one that is declared passes the same way."""
    passes = Control(DESK, (tried(scene, scene.image),), r"^run 0 .*patched")
    repository = scene.image.split("@")[0].rsplit(":", 1)[0]
    jurisdiction = scene.other.jurisdiction
    images = {
        "without a version and without a digest": repository,
        "of whatever was pushed last": f"{repository}:latest",
        "of a public registry": "docker.io/library/busybox:1.36",
        "of no registry": "busybox:1.36",
        f"of the registry of {jurisdiction}": f"registry.{jurisdiction}.shopsphere.test/shop:1",
        "of a repository that nothing declares": f"{repository.rsplit('/', 1)[0]}/attack:1",
        "by a digest of a repository that nothing declares": f"{repository.rsplit('/', 1)[0]}/attack@sha256:{'0' * 64}",
    }
    for what, image in images.items():
        yield attempt(
            "M3", f"run an image {what} as the shop", DESK, [tried(scene, image)], WORDS, words=DENIED, control=passes
        )
