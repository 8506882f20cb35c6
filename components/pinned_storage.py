"""PinnedStorage: a storage class and volumes that exist at one site and can bind at no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core.v1 import PersistentVolume
from pulumi_kubernetes.storage.v1 import StorageClass

from components.manifest import Manifest, name_of
from shopsphere.estate.placement import HOSTNAME_LABEL, SITE_LABEL, SKIP_AWAIT, Placement
from shopsphere.estate.site_config import Volume

OWNER = "platform"
SEVERAL = 2


def storage_class_name(site: str) -> str:
    """Return the name of a site's storage class; it says where the data is."""
    return f"{site}-pinned"


@dataclass(frozen=True)
class PinnedStorageModel:
    """The site, the directories on its nodes that become volumes, and the names of these nodes."""

    placement: Placement
    volumes: tuple[Volume, ...]
    nodes: tuple[str, ...] = ()

    @property
    def pinned(self) -> Iterator[tuple[str, Volume, str | None]]:
        """Yield name, volume and node of each volume; no node where the site has only one, so that any name will do.

        A directory is another one on each node: a pod that was moved would find an empty database there.
        """
        for volume in self.volumes:
            name = f"{self.placement.site}-{volume.name}"
            if volume.node or len(self.nodes) < SEVERAL:
                yield name, volume, volume.node
                continue
            for number, node in enumerate(self.nodes, 1):
                yield name if number == 1 else f"{name}-n{number}", volume, node


class PinnedStorage(pulumi.ComponentResource):
    """Local volumes with node affinity to their site; a claim of another site stays unbound."""

    storage_class: pulumi.Output[str]
    """Name of the storage class."""

    def __init__(self, name: str, model: PinnedStorageModel, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shopsphere:site:PinnedStorage", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        placement = model.placement
        pinned = storage_class_name(placement.site)
        created = StorageClass(
            pinned,
            metadata={"name": pinned, "labels": placement.site_labels(pinned, owner=OWNER)},
            provisioner="kubernetes.io/no-provisioner",
            # Bind when the pod is placed: only then is it known on which of the site's nodes.
            volume_binding_mode="WaitForFirstConsumer",
            # Data outlives its claim: a person frees a volume for new use, after looking at what is on it.
            reclaim_policy="Retain",
            allowed_topologies=[{"match_label_expressions": [{"key": SITE_LABEL, "values": [placement.site]}]}],
            opts=self._child,
        )
        self.storage_class = name_of(created)
        for volume_name, volume, node in model.pinned:
            self._volume(placement, volume_name, volume, node)
        self.register_outputs({"storageClass": self.storage_class})

    def _volume(self, placement: Placement, name: str, volume: Volume, node: str | None) -> None:
        places: list[Manifest] = [{"key": SITE_LABEL, "operator": "In", "values": [placement.site]}]
        if node:
            places.append({"key": HOSTNAME_LABEL, "operator": "In", "values": [node]})
        spec: Manifest = {
            "storage_class_name": self.storage_class,
            "capacity": {"storage": volume.capacity},
            "access_modes": ["ReadWriteOnce"],
            "volume_mode": "Filesystem",
            "persistent_volume_reclaim_policy": "Retain",
            "local": {"path": volume.path},
            "node_affinity": {"required": {"node_selector_terms": [{"match_expressions": places}]}},
        }
        PersistentVolume(
            name,
            metadata={
                "name": name,
                "labels": placement.labels(name, data_class=volume.data_class, owner=OWNER),
                # A released volume is neither available nor bound; Pulumi must not wait for it to become either.
                "annotations": SKIP_AWAIT,
            },
            spec=spec,
            opts=self._child,
        )
