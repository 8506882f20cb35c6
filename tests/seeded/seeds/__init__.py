"""Edits of the program, its tables and its configuration that break a rule, one at a time."""

from __future__ import annotations

from seeds.configuration import MAP, STACKS
from seeds.events import EVENTS
from seeds.program import DATA, EDGE, PODS, SITES
from seeds.tables import FLEET, TABLES

SEEDS = (*MAP, *STACKS, *TABLES, *PODS, *SITES, *DATA, *EDGE, *EVENTS, *FLEET)
