"""The door of a site's host: answers what its agent publishes, in a process that the agent does not depend on."""
