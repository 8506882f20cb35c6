"""From clicks to counts: what `shop insight` reads of the log of clicks, and what it keeps of them."""
