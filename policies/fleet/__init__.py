"""All stacks of an environment together: stores of data, flows between them, and the paths by which a class leaves."""
