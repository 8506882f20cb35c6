"""NET: ways in and out of a site."""
