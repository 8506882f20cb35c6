"""The validated topology: sites, pairs, jurisdictions, data classes, limits and distances as frozen values."""

from shopsphere.topology.base import HEADQUARTERS
from shopsphere.topology.data_class import Cdn, DataClass, HeldAt
from shopsphere.topology.errors import Problem, TopologyError, UnknownNameError
from shopsphere.topology.limits import Limits, PowerModel
from shopsphere.topology.loader import load_topology, parse_topology
from shopsphere.topology.model import Topology
from shopsphere.topology.pair import Pair, Weights
from shopsphere.topology.place import Jurisdiction, Site
from shopsphere.topology.wan import Distance, Wan

__all__ = [
    "HEADQUARTERS",
    "Cdn",
    "DataClass",
    "Distance",
    "HeldAt",
    "Jurisdiction",
    "Limits",
    "Pair",
    "PowerModel",
    "Problem",
    "Site",
    "Topology",
    "TopologyError",
    "UnknownNameError",
    "Wan",
    "Weights",
    "load_topology",
    "parse_topology",
]
