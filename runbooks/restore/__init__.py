"""Backups as an operator sees them: what is there, and a database brought back beside the live one."""
