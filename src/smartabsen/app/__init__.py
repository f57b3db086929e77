"""The only place that builds things: the facade, its parts, and what they are made of."""
