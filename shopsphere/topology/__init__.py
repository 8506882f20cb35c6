"""The validated topology as frozen values: sites, pairs and shops, jurisdictions, data classes, limits, distances."""

from shopsphere.foundation.document_problem import Problem
from shopsphere.topology.base import HEADQUARTERS
from shopsphere.topology.data_class import Cdn, DataClass, HeldAt
from shopsphere.topology.errors import TopologyError, UnknownNameError
from shopsphere.topology.limits import Limits, PowerModel
from shopsphere.topology.loader import load_topology, parse_topology
from shopsphere.topology.model import Topology
from shopsphere.topology.pair import Pair, Weights
from shopsphere.topology.place import ARCHIVE_PORT, Archive, FurtherNode, Jurisdiction, Site
from shopsphere.topology.storefront import Currency, NumberFormat, Seller, Storefront
from shopsphere.topology.wan import Distance, Wan

__all__ = [
    "ARCHIVE_PORT",
    "HEADQUARTERS",
    "Archive",
    "Cdn",
    "Currency",
    "DataClass",
    "Distance",
    "FurtherNode",
    "HeldAt",
    "Jurisdiction",
    "Limits",
    "NumberFormat",
    "Pair",
    "PowerModel",
    "Problem",
    "Seller",
    "Site",
    "Storefront",
    "Topology",
    "TopologyError",
    "UnknownNameError",
    "Wan",
    "Weights",
    "load_topology",
    "parse_topology",
]
