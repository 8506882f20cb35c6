"""The passive site knows the new secrets; where two can be believed, it goes on using the old ones."""

from runbooks.rotation.turns import PASSIVE, SITE_SECONDS, site_turn

TITLE = "Bring the new secrets to the passive site"
SECONDS = SITE_SECONDS

check, act, verify = site_turn(PASSIVE)
