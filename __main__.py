"""The global edge; the stack's name says of which environment."""

from components.edge.edge import build_edge

build_edge()
