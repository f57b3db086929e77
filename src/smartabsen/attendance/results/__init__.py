"""Results of days: kept by revision, judged again for a range."""
