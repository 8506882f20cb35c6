"""The payments service: an own process with an own database, so that money is exact though everything else may fail."""
