"""Steps that let a site write while the witness has no quorum, in the order of their numbers."""
