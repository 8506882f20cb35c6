"""The validated topology: sites, pairs, jurisdictions, data classes, limits and distances as frozen values."""

from components.topology.base import HEADQUARTERS
from components.topology.data_class import Cdn, DataClass, HeldAt
from components.topology.errors import Problem, TopologyError, UnknownNameError
from components.topology.limits import Limits, PowerModel
from components.topology.loader import load_topology, parse_topology
from components.topology.model import Topology
from components.topology.pair import Pair, Weights
from components.topology.place import Jurisdiction, Site
from components.topology.wan import Distance, Wan

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
