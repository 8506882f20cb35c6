"""Alerts for Prometheus: the rules, their unit tests for promtool, and the page that is made of them."""
