"""What everything else stands on: errors, words, languages, clocks, registries."""
