"""Taking back what a copy has that the active site lacks, with `pg_rewind`, in place of a whole new copy."""
