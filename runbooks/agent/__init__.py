"""The site agent: a process on the host of each regional site that holds the right to write, and shuts it off."""
