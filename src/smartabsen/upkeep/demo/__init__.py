"""What the demonstration shows: people made of photos that installed packages carry, and a film of them."""
