"""Words: what a text means, which products' words fit it, and which pictures."""
