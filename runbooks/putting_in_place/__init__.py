"""A restored database on its way into the place of the live one; the steps are in runbooks/put_in_place."""
