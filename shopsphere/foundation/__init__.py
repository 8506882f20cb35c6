"""What everything else stands on: errors, clock, files, paths, processes, progress."""
