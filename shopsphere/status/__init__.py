"""What is there now: asked of clusters, databases and name servers, never taken from the topology."""
