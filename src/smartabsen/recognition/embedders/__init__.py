"""The embedders and their registry."""
