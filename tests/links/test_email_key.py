"""The key of an address against a second implementation in Python, which knows each character's properties."""

import unicodedata

import pytest
from pg8000.native import Connection

# Default_Ignorable_Code_Point of DerivedCoreProperties.txt, which unicodedata does not have.
IGNORABLE = [
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
]  # fmt: skip
UNSEEN = {chr(point) for first, last in IGNORABLE for point in range(first, last + 1)}
# Newer characters than the server or Python may know are folded by neither.
KNOWN = [
    point
    for point in range(1, 0x110000)
    if unicodedata.category(chr(point)) not in {"Cn", "Cs"} and not point >= 0xF0000
]
# What Unicode 15 has brought and NFKC or its order of marks concerns: PostgreSQL 15 is of 14.
OF_UNICODE_15 = {
    *range(0x10EFD, 0x10F00),
    0x11F41,
    0x11F42,
    *range(0x1E030, 0x1E06E),
    0x1E08F,
    *range(0x1E4EC, 0x1E4F0),
}
# The key takes them as they are, as it does three quarters of Unicode: many in one address are as good as each alone.
PLAIN = {
    point
    for point in KNOWN
    if unicodedata.category(chr(point)) in {"Lo", "So", "Mn"}
    and unicodedata.combining(chr(point)) == 0
    and unicodedata.normalize("NFKD", chr(point)) == chr(point)
    and chr(point) not in UNSEEN
}
TOGETHER = 64
KEYS = "select crm_hosting.email_key(address) from unnest(string_to_array(:addresses, chr(10))) address"


def key(address: str) -> str | None:
    """What is matched: without what nobody sees, NFKC, lower case letter by letter, trimmed; null without a real @."""
    seen = "".join(one for one in address if one not in UNSEEN and unicodedata.category(one) != "Cf")
    lower = "".join(one.lower() for one in unicodedata.normalize("NFKC", seen)).replace("ς", "σ")
    found = unicodedata.normalize("NFKC", lower).strip()
    return found if any(found[:at] and found[at + 1 :] for at, one in enumerate(found) if one == "@") else None


@pytest.mark.parametrize("pattern", ["*a@x.com", "Ann*b@X.com", "a@x.com*", "e*\u0301@x.com"])
def test_every_character_of_unicode_is_keyed_as_its_properties_say(owner: Connection, pattern: str) -> None:
    [[version]] = owner.run("select current_setting('server_version_num')::int / 10000")
    known = KNOWN if version >= 16 else [point for point in KNOWN if point not in OF_UNICODE_15]
    alone = [chr(point) for point in known if point not in PLAIN]
    plain = "".join(chr(point) for point in known if point in PLAIN)
    some = alone + [plain[start : start + TOGETHER] for start in range(0, len(plain), TOGETHER)]
    some.remove("\n")  # which parts the addresses here
    addresses = [pattern.replace("*", one) for one in some]
    keys = [found for (found,) in owner.run(KEYS, addresses="\n".join(addresses))]

    assert len(keys) == len(addresses)
    assert [
        (ascii(one), ascii(found))
        for one, address, found in zip(some, addresses, keys, strict=True)
        if found != key(address)
    ] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u200bann@x.com\u200b", "ann@x.com"),
        ("\u2003ann@x.com\ufeff\u0085", " ANN@X.COM\t\r\n"),
        ("a\u200dn\u00adn@x.com", "ann\u202c@x.com"),
        ("jos\u00e9@x.com", "jose\u0301@x.com"),
        ("JOS\u00c9@x.com", "jos\u00e9@x.com"),
        ("\uff21nn\uff20x\uff0ecom", "ann@x.com"),
        ("ΣΑΣ@x.com", "σας@x.com"),
        ("İ@x.com", "i̇@x.com"),
        ("\u3000INFO@X.COM\u3000", "info@x.com"),
    ],
)
def test_addresses_that_look_alike_have_one_key(owner: Connection, one: str, other: str) -> None:
    [[first, second]] = owner.run(
        "select crm_hosting.email_key(:one), crm_hosting.email_key(:other)", one=one, other=other
    )

    assert first == second == key(one)


@pytest.mark.parametrize(
    ("one", "other"), [("a.b@x.com", "ab@x.com"), ("a+b@x.com", "a@x.com"), ("ı@x.com", "I@x.com"), ("ß@x", "ss@x")]
)
def test_other_addresses_keep_their_own(owner: Connection, one: str, other: str) -> None:
    [[first, second]] = owner.run(
        "select crm_hosting.email_key(:one), crm_hosting.email_key(:other)", one=one, other=other
    )

    assert first != second


@pytest.mark.parametrize(
    "word", ["", " ", "-", "N/A", "无", "unknown", "@", "ann@", "@x.com", "ann@\u200b", "\u3000@x", None]
)
def test_what_has_nothing_on_one_side_of_an_at_is_no_address(owner: Connection, word: str | None) -> None:
    assert owner.run("select crm_hosting.email_key(cast(:word as text))", word=word) == [[None]]
