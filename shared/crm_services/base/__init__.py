"""What everything else stands on: errors, texts, settings, secrets, TLS."""
