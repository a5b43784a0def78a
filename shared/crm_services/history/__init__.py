"""What happened: the days of a customer and of a scope, and what changed for the worse."""
