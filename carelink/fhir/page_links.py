"""Links to further pages that tell nobody what was searched for: the question travels sealed.

An NHS number that came in the body of a request must not come back in an address, where logs and histories keep it.
A link is followed by whom it was given to: with a token of another client, scope or purpose the pages would not be of
one answer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from carelink.consent.requester import Requester
from carelink.errors import Invalid
from carelink.fhir.asking import Given
from carelink.fhir.forms import NAMES

PAGE = "_page"
_HEADER = {"alg": "dir", "enc": "A256GCM"}
_ALGORITHMS = ["dir", "A256GCM"]


@dataclass(frozen=True)
class PageLinks:
    """Makes and follows the links of one server."""

    key: OctKey

    @classmethod
    def of(cls, secret_key: str) -> PageLinks:
        """Sealed with a key of their own, derived from the installation's secret."""
        return cls(OctKey.import_key(hashlib.sha256(b"carelink page links|" + secret_key.encode()).digest()))

    def sealed(self, given: Given, asks: Requester | None, after: str = "") -> str:
        """The query string of the page after that place, for this requester."""
        text = msgspec.json.encode([list(map(list, given)), after, _whom(asks)])
        shape = {name: value for name, value in given if name in NAMES}  # of each page, and nobody's secret
        return urlencode({PAGE: jwe.encrypt_compact(_HEADER, text, self.key, _ALGORITHMS), **shape})

    def followed(self, given: Given, asks: Requester | None) -> tuple[Given, str]:
        """What was searched for, and after which place.

        Raises `Invalid` for a link that is not whole, not ours, or was given to somebody else.
        """
        link = dict(given).get(PAGE)
        if link is None:
            return given, ""
        if others := [name for name, _ in given if name not in (PAGE, *NAMES)]:
            raise Invalid(others[0], "is given beside the link of a page; follow the link as it is")
        try:
            text = jwe.decrypt_compact(link, self.key, _ALGORITHMS).plaintext
            asked, after, whose = msgspec.json.decode(text or b"", type=tuple[list[tuple[str, str]], str, str])
        except (JoseError, ValueError) as wrong:
            raise Invalid(PAGE, "is not the link of a page of ours; search again") from wrong
        if whose != _whom(asks):
            raise Invalid(PAGE, "was given to another client, or for other scopes or another purpose; search again")
        return asked, after


def _whom(asks: Requester | None) -> str:
    """All of a requester that an answer depends on, so that a new token of the same kind goes on where the old one was."""
    if asks is None:
        return ""
    types = "*" if asks.types is None else ",".join(sorted(asks.types))
    through = (asks.client, asks.team, asks.narrowed)
    return "|".join((asks.user, asks.organisation, asks.role, asks.purpose, types, *through))
