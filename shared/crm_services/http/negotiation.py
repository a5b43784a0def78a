"""What the caller prefers, of what can be had: the language and the encoding (RFC 9110, 12.5)."""

import base64
import re
import zlib

from crm_services.base.messages import Language

# How the CRM and browsers call the languages that the bundle speaks.
_LANGUAGES: dict[str, Language] = {"zh": "zh", "en": "en"}
_QUALITY = re.compile(r"q=(0(\.\d{0,3})?|1(\.0{0,3})?)", re.IGNORECASE)

_PARAMETER = re.compile(r""";\s*(?!q\s*=)[\w!#$&^.+-]+\s*=\s*("[^"]*"|[^\s;,"]*)\s*""", re.IGNORECASE)


def weights(header: str) -> dict[str, float]:
    """The quality of each value in an Accept header, in lower case; one whose quality is malformed is not there."""
    found: dict[str, float] = {}
    for item in header.lower().split(","):
        value, *parameters = (part.strip() for part in item.split(";"))
        quality = _QUALITY.fullmatch(parameters[0]) if parameters else None
        if value and len(parameters) <= 1 and bool(parameters) == bool(quality):
            found[value] = max(float(quality[1]) if quality else 1, found.get(value, 0))
    return found


def liked(accept: str, kind: str) -> float:
    """The quality of a media type in an Accept header: of the most specific range that names it, 0 where none does.

    Its parameters (`charset=utf-8`) narrow nothing: there is one form of each.
    """
    ranges = weights(_PARAMETER.sub("", accept))
    named = (kind, kind.partition("/")[0] + "/*", "*/*")
    return next((ranges[one] for one in named if one in ranges), 0)


def language_named(tag: object) -> Language | None:
    """The language of a tag such as `zh` or `en_GB`; None for everything else."""
    return _LANGUAGES.get(re.split("[-_]", tag.strip().lower())[0]) if isinstance(tag, str) else None


def preferred_language(accept_language: str) -> Language:
    """Chinese, unless English has the higher quality; `en-GB` counts as English."""
    languages: dict[str, float] = {}
    for tag, weight in weights(accept_language).items():
        language = tag.partition("-")[0]
        languages[language] = max(weight, languages.get(language, 0))
    other = languages.get("*", 0)
    return "en" if languages.get("en", other) > languages.get("zh", other) else "zh"


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether gzip is listed, by name or as `*`, and the plain body not preferred to it."""
    encodings = weights(accept_encoding)
    gzip = encodings.get("gzip", encodings.get("*", 0))
    return gzip > 0 and gzip >= encodings.get("identity", 0)


def gzipped(body: str) -> str:
    """The body compressed, in base64 as Lambda hands bytes on."""
    # Level 3: for a page of miners a quarter of the time of zlib's default, and a sixth more bytes.
    compressor = zlib.compressobj(3, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return base64.b64encode(compressor.compress(body.encode()) + compressor.flush()).decode("ascii")
