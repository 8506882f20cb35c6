"""Rules about the event log: what is in it, how long, who reaches it, and where it is."""
