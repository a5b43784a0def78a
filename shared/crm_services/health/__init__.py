"""Whether CRM and hosting agree."""
