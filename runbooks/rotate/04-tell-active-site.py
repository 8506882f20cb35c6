"""The active site knows the new secrets; where two can be believed, it goes on using the old ones."""

from runbooks.rotation.turns import ACTIVE, SITE_SECONDS, site_turn

TITLE = "Bring the new secrets to the active site"
SECONDS = SITE_SECONDS

check, act, verify = site_turn(ACTIVE)
