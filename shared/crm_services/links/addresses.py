"""What else the address in a customer's field may mean: other addresses typed there, and the same one in punycode."""

import re
import unicodedata
from typing import NamedTuple

# Enough of an address to look for an account by: no blanks, brackets, quotes or list separators in it.
ADDRESS = re.compile(r"""[^\s<>()\[\]"',;:|/\\、。《》【】“”‘’@]+@[^\s<>()\[\]"',;:|/\\、。《》【】“”‘’@]+""")
MOST = 10  # of a field that is a whole list


class Meant(NamedTuple):
    """An address that a field may mean, and how: `typed` in it, or the same one in `punycode`."""

    address: str
    kind: str


def meant_by(field: str) -> list[Meant]:
    """The addresses that the field may mean, beside the one that it is as a whole."""
    # In NFKC, in which a full-width colon, comma or bracket is an ordinary one.
    found = [one.rstrip(".") for one in ADDRESS.findall(unicodedata.normalize("NFKC", field))][:MOST]
    typed = [Meant(one, "typed") for one in found if one != field.strip()]
    return typed + [Meant(other, "punycode") for one in found if (other := _otherwise(one))]


def _otherwise(address: str) -> str | None:
    """The address with its domain in the other of its two spellings, or None where there is none."""
    local, _, domain = address.rpartition("@")
    try:
        other = domain.encode("idna").decode() if not domain.isascii() else domain.encode().decode("idna")
    except UnicodeError:
        return None
    return f"{local}@{other}" if other.casefold() != domain.casefold() else None
