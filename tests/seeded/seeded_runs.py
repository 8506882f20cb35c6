"""Judges stacks of the tree in which it stands, each in a child of its own: one request and one answer a line."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("shopsphere", "policies", "components")
"""Packages, each of which imports from those before it alone (docs/adr/0015)."""
READY = "ready"
CHILD_SECONDS = 120
REFUSALS = frozenset({"ShopSphereError", "RunError"})
"""Errors by their names: their classes are the edited tree's. One can be raised while the tree is imported."""
LARGEST_ANSWER = 2**24
"""Bytes."""


def facts() -> dict[str, Any]:
    """Return what a machine adds to stacks, made once: secrets by project, and kubeconfigs that lead to the sites."""
    # All that a child needs is loaded here, once for all children: what they forget leads to SDKs that they keep.
    import seeded_verdict  # noqa: F401, PLC0415
    from site_graph import committed_stacks, kubeconfig_of, secrets_of  # noqa: PLC0415 forgotten by children

    import components.site  # noqa: F401, PLC0415 what the stacks' programs import
    from policies.registry import discover  # noqa: PLC0415

    discover()
    stacks = committed_stacks()
    return {
        "stacks": {stack: project for project, stack in stacks},
        "secrets": {project: secrets_of(project) for project, _ in stacks},
        "kubeconfigs": {stack: kubeconfig_of(stack) for _, stack in stacks},
    }


def forget(edited: str) -> None:
    """Forget every module that an edit of a file can have changed: those of its layer and of all above it."""
    if not edited.endswith(".py"):
        return  # read anew by each child
    layer = edited.partition("/")[0]
    kept = LAYERS[: LAYERS.index(layer)] if layer in LAYERS else LAYERS
    for name, module in list(sys.modules.items()):
        own = str(getattr(module, "__file__", None) or "").startswith(f"{ROOT}/")
        if own and name != "__main__" and name.partition(".")[0] not in kept:
            del sys.modules[name]


def answer(request: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Judge in a child, whose edited modules end with it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(CHILD_SECONDS)
        sys.dont_write_bytecode = True
        gc.disable()  # a child ends after one verdict
        try:
            forget(request["file"])
            from seeded_verdict import verdict  # noqa: PLC0415 of the tree as it is now

            said = verdict(request, known)
        except BaseException as error:  # noqa: BLE001 told to whoever asked
            refusals = {each.__name__ for each in type(error).__mro__} & REFUSALS
            said = {"found": [], "refused": str(error)} if refusals else {"fault": traceback.format_exc()}
        with os.fdopen(writing, "w") as pipe:
            json.dump(said, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said_text = pipe.read(LARGEST_ANSWER)
    _, status = os.waitpid(child, 0)
    result: dict[str, Any] = json.loads(said_text) if said_text else {"fault": f"the child ended with status {status}"}
    return result


def main() -> None:
    """Answer until there are no more requests."""
    known = facts()
    gc.freeze()
    sys.stdout.write(f"{READY}\n")  # from here on files may be edited
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line), known)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
