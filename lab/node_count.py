"""How many nodes the lab's sites have: written beside topology.yaml as what differs in the environment `lab`."""

from __future__ import annotations

from pathlib import Path

import yaml

from lab import record
from lab.cluster.nodes import NodesError, further_nodes
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology import load_topology
from shopsphere.topology.overlay import overlay_file

_HEAD = "# Written by `shopsphere lab up --nodes`, removed by `shopsphere lab down`: nodes of the lab's sites.\n"


def _file(topology: Path) -> Path:
    return overlay_file(topology, "lab")


def choose(nodes: int, topology: Path = TOPOLOGY_FILE) -> None:
    """Let each site of the lab have so many nodes; with one there is no file, and all is as it was without this.

    Raises:
        NodesError: a lab with another number runs, somebody else wrote the file, or no lab can have so many.
    """
    file, wanted = _file(topology), further_nodes(load_topology(topology), nodes)
    text = _HEAD + yaml.safe_dump({"sites": {site: {"further_nodes": found} for site, found in wanted.items()}})
    has = file.read_text() if file.exists() else ""
    if has == (text if nodes > 1 else ""):
        return
    if record.regions():
        raise NodesError.build(
            "the lab runs with another number of nodes",
            expected="the same number as long as it has disks: a volume belongs to one node",
            found=f"--nodes {nodes}, and regions {', '.join(record.regions())} that were started with another one",
            action="`shopsphere lab down` first; it removes all data of the lab",
        )
    if has and not has.startswith(_HEAD):
        raise NodesError.build(
            f"{file.name} is not the lab's own",
            expected=f"no such file, or one that begins with: {_HEAD.strip()}",
            found="another one",
            action="move it away, or write further_nodes into it by hand and leave --nodes out",
        )
    if nodes > 1:
        write_whole(file, text)
    else:
        file.unlink()


def forget(topology: Path = TOPOLOGY_FILE) -> None:
    """Remove the file, if it is the lab's own."""
    file = _file(topology)
    if file.exists() and file.read_text().startswith(_HEAD):
        file.unlink()
