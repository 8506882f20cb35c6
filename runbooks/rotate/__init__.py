"""Steps that renew one kind of secret of a pair, in the order of their numbers; a rotation does so kind by kind."""
