"""Names and texts in statements that take no parameters."""


def identifier(name: str) -> str:
    """The name of a role or a database, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text, quoted."""
    return "'" + text.replace("'", "''") + "'"
