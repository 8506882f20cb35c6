"""Steps that replace the key of the public zone, while resolvers check what they are answered."""
