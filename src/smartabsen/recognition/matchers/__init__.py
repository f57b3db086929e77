"""The matchers and their registry."""
