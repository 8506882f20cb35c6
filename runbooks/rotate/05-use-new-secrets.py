"""Both stacks say that the new secrets are used; the old ones are believed."""

from runbooks.rotation.turns import stacks_turn
from shopsphere.estate.renewal import Stage, kinds_through

TITLE = "Say in both stacks that the new secrets are used"
SECONDS = 120
VARIANTS = kinds_through(Stage.BELIEVED)

check, act, verify = stacks_turn(Stage.USED, "the new ones are used, the old ones are believed")
