"""The passive site believes the new secrets alone."""

from runbooks.rotation.turns import PASSIVE, SITE_SECONDS, site_turn
from shopsphere.estate.renewal import Stage, kinds_through

TITLE = "Let the passive site forget the old secrets"
SECONDS = SITE_SECONDS
VARIANTS = kinds_through(Stage.ALONE)

check, act, verify = site_turn(PASSIVE, Stage.ALONE)
