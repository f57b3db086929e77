"""Leave: kinds as data, a ledger of days, requests and their approval."""
