"""One Pulumi component per file, and the topology model that they are built from."""
