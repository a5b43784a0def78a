"""The database: connection, transaction, migration, roles, and in `sql/` all that the bundle has in it."""
