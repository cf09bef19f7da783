"""Writing of people, brought to one form before it is compared: names, postcodes, addresses, telephone numbers."""

from __future__ import annotations

import re
import unicodedata

_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_INSIDE = str.maketrans("", "", "'’‘`´.ʼ")  # O'Brien is obrien, St. John is st john
_APART = re.compile(r"[^a-z0-9]+")
_NOT_DIGIT = re.compile(r"\D")
_POSTCODE = re.compile(r"^[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}$")
_EXTENSION = re.compile(r"\s*(ext|extension|x)\.?\s*\d+\s*$", re.IGNORECASE)

# How the words of an address are shortened.
_WORDS = {
    "st": "street",
    "str": "street",
    "rd": "road",
    "ave": "avenue",
    "av": "avenue",
    "ln": "lane",
    "dr": "drive",
    "cl": "close",
    "cres": "crescent",
    "ct": "court",
    "crt": "court",
    "gdns": "gardens",
    "gdn": "gardens",
    "grn": "green",
    "gr": "grove",
    "gro": "grove",
    "hse": "house",
    "pl": "place",
    "pk": "park",
    "sq": "square",
    "ter": "terrace",
    "terr": "terrace",
    "wy": "way",
    "apartment": "flat",
    "apt": "flat",
}

# What systems write as a name where nothing is known; compared as names these would tie strangers together.
NO_NAMES = frozenset(
    {
        *("unknown", "not known", "unk", "none", "n a", "na", "no name", "not stated", "anonymous", "anon"),
        *("baby", "baby of", "baby boy", "baby girl", "boy", "girl", "male", "female", "infant", "male infant"),
        *("female infant", "twin", "twin one", "twin two", "twin 1", "twin 2", "surname", "forename"),
    }
)
NO_BIRTH_DATES = frozenset({"1900-01-01", "1901-01-01", "1899-12-30", "1899-12-31", "1800-01-01", "1970-01-01"})
MOST_DIGITS = 18  # ITU-T E.164 allows 15, and an international prefix before them
NO_POSTCODE_AREA = "ZZ99"  # ONS pseudo postcodes: no fixed abode, not known, overseas
NO_TELEPHONES = frozenset({"00000000000", "01234567890", "07000000000", "07777777777", "09999999999"})


def fold(text: str) -> str:
    """Lower case, no accents, no punctuation; what parts a word (also a hyphen) is one space."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    without = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _APART.sub(" ", without.translate(_INSIDE)).strip()


def name(text: str) -> str:
    """A folded name; empty where it stands for no name."""
    folded = fold(text)
    return "" if folded in NO_NAMES else folded


def postcode(text: str) -> str:
    """Upper case without spaces; empty where it is none, or a pseudo postcode that thousands share."""
    found = re.sub(r"\s+", "", text.upper())
    return found if _POSTCODE.match(found) and not found.startswith(NO_POSTCODE_AREA) else ""


def address(*lines: str) -> str:
    """The folded lines as one, common words in full (`12 High St.` is `12 high street`)."""
    words = fold(" ".join(lines)).split()
    return " ".join(_WORDS.get(word, word) for word in words)


def telephone(text: str) -> str:
    """Digits in national form (`+44 (0)1632 960001` is `01632960001`); empty where there are too few to tell, or too many."""
    digits = _NOT_DIGIT.sub("", _EXTENSION.sub("", text))
    digits = digits.removeprefix("00") if digits.startswith("0044") else digits
    if digits.startswith("44") and len(digits) > 10:
        digits = "0" + digits[2:].lstrip("0")
    return digits if 9 <= len(digits) <= MOST_DIGITS and digits not in NO_TELEPHONES else ""
