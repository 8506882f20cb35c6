"""The passive site uses the new secrets, and believes the old ones."""

from runbooks.rotation.turns import PASSIVE, SITE_SECONDS, site_turn
from shopsphere.estate.renewal import Stage, kinds_through

TITLE = "Let the passive site use the new secrets"
SECONDS = SITE_SECONDS
VARIANTS = kinds_through(Stage.BELIEVED)

check, act, verify = site_turn(PASSIVE, Stage.USED)
