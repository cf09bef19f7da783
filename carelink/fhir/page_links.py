"""Links to further pages that tell nobody what was searched for: the question travels sealed.

An NHS number that came in the body of a request must not come back in an address, where logs and histories keep it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from carelink.errors import Invalid
from carelink.fhir.asking import Given

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

    def sealed(self, given: Given, after: str = "") -> str:
        """The query string of the page after that place."""
        text = msgspec.json.encode([list(map(list, given)), after])
        return urlencode({PAGE: jwe.encrypt_compact(_HEADER, text, self.key, _ALGORITHMS)})

    def followed(self, given: Given) -> tuple[Given, str]:
        """What was searched for, and after which place. Raises `Invalid` for a link that is not whole or not ours."""
        link = dict(given).get(PAGE)
        if link is None:
            return given, ""
        if others := [name for name, _ in given if name not in (PAGE, "_format")]:
            raise Invalid(others[0], "is given beside the link of a page; follow the link as it is")
        try:
            text = jwe.decrypt_compact(link, self.key, _ALGORITHMS).plaintext
            asked, after = msgspec.json.decode(text or b"", type=tuple[list[tuple[str, str]], str])
        except (JoseError, ValueError) as wrong:
            raise Invalid(PAGE, "is not the link of a page of ours; search again") from wrong
        return asked, after
