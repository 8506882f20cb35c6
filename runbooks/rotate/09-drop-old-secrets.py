"""Both stacks have the new secrets alone."""

from runbooks.rotation.turns import stacks_turn
from shopsphere.estate.renewal import Stage, kinds_through

TITLE = "Take the old secrets out of both stacks"
SECONDS = 120
VARIANTS = kinds_through(Stage.ALONE)

check, act, verify = stacks_turn(Stage.ALONE, "the old ones go")
