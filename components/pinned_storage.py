"""PinnedStorage: a storage class and volumes that exist at one site and can bind at no other."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core.v1 import PersistentVolume
from pulumi_kubernetes.storage.v1 import StorageClass

from components.manifest import Manifest, name_of
from shopsphere.estate.placement import SITE_LABEL, SKIP_AWAIT, Placement
from shopsphere.estate.site_config import Volume

OWNER = "platform"


def storage_class_name(site: str) -> str:
    """Return the name of a site's storage class; it says where the data is."""
    return f"{site}-pinned"


@dataclass(frozen=True)
class PinnedStorageModel:
    """The site and the directories on its nodes that become volumes."""

    placement: Placement
    volumes: tuple[Volume, ...]


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
        for volume in model.volumes:
            self._volume(placement, volume)
        self.register_outputs({"storageClass": self.storage_class})

    def _volume(self, placement: Placement, volume: Volume) -> None:
        name = f"{placement.site}-{volume.name}"
        at_site = {"key": SITE_LABEL, "operator": "In", "values": [placement.site]}
        spec: Manifest = {
            "storage_class_name": self.storage_class,
            "capacity": {"storage": volume.capacity},
            "access_modes": ["ReadWriteOnce"],
            "volume_mode": "Filesystem",
            "persistent_volume_reclaim_policy": "Retain",
            "local": {"path": volume.path},
            "node_affinity": {"required": {"node_selector_terms": [{"match_expressions": [at_site]}]}},
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
