"""Dated rules: what the law says (rulesets as data) and what the firm decided (policies)."""
