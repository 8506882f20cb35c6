"""The active site believes the new secrets alone."""

from runbooks.rotation.turns import ACTIVE, SITE_SECONDS, site_turn
from shopsphere.estate.renewal import Stage, kinds_through

TITLE = "Let the active site forget the old secrets"
SECONDS = SITE_SECONDS
VARIANTS = kinds_through(Stage.ALONE)

check, act, verify = site_turn(ACTIVE, Stage.ALONE)
