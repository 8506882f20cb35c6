"""Thin classes, one per outside thing: a cluster's API, a database in a pod, a name server."""
