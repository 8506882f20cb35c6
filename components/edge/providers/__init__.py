"""Dynamic resource providers, importable by name so that Pulumi's state refers to them and holds no copy of them."""
