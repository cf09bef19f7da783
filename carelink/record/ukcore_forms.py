"""How identifiers and addresses of England are written: NHS number, ODS code, UPRN, postcode, language. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from nhs_number import is_valid

from carelink.ids import NHS_NUMBER, ODS

ODS_SITE = "https://fhir.nhs.uk/Id/ods-site-code"
LANGUAGES = "urn:ietf:bcp:47"

_TEN_DIGITS = re.compile(r"[0-9]{10}")
_ODS = re.compile(r"[A-Z0-9]{3,10}")
_UPRN = re.compile(r"[1-9][0-9]{0,11}")
_PAF = re.compile(r"[0-9]{8}")
# BS 7666: area, district, sector, unit; GIR 0AA is of its own. Z99 stands for abroad and unknown (ODS, NHS Postcode Directory).
_POSTCODE = re.compile(r"(GIR ?0AA|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|ZZ99 ?[0-9][A-Z]{2})", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def is_nhs_number(text: str) -> bool:
    """Ten digits whose last is right by modulus 11 (NHS Data Dictionary, NHS NUMBER)."""
    return bool(_TEN_DIGITS.fullmatch(text)) and is_valid(text)


def is_ods_code(text: str) -> bool:
    """Capitals and digits, three to ten (NHS Data Dictionary, ORGANISATION CODE and ORGANISATION SITE IDENTIFIER)."""
    return bool(_ODS.fullmatch(text))


def is_uprn(text: str) -> bool:
    """Up to twelve digits, without leading noughts (BS 7666)."""
    return bool(_UPRN.fullmatch(text))


def is_paf_key(text: str) -> bool:
    """Eight digits (Royal Mail, address key of the Postcode Address File)."""
    return bool(_PAF.fullmatch(text))


def is_postcode(text: str) -> bool:
    """As Royal Mail writes it, with or without the blank."""
    return bool(_POSTCODE.fullmatch(text.strip()))


def is_language(text: str) -> bool:
    """Shaped as a language tag (BCP 47)."""
    return bool(_LANGUAGE.fullmatch(text))


# system of an identifier -> what tells whether a value is one, and how it is written
IDENTIFIERS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    NHS_NUMBER: (
        is_nhs_number,
        "an NHS number is ten digits without blanks, the last of them a check digit (modulus 11)",
    ),
    ODS: (is_ods_code, "an ODS code is three to ten capitals and digits"),
    ODS_SITE: (is_ods_code, "an ODS site code is three to ten capitals and digits"),
}
