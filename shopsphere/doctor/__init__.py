"""What would make a deployment fail, found before anything is deployed: read-only, and bounded in time."""
