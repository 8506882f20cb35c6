"""Customers: sign-up, sign-in, sign-out."""
