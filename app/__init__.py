"""The shop: storefront, payments and a payment provider to test against, as one package and one image."""

__version__ = "0.1.0"
"""The version of this repository; the package, the policy pack and the stacks agree with it."""
