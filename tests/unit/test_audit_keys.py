"""The keys of the audit in the forms that other programs write and read."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from carelink.audit.keys import PublicKey, SigningKey, read_public
from carelink.audit.lines import COLUMNS
from carelink.db.tables import audit_event
from carelink.errors import Invalid

# RFC 8410, section 10.3: a private key as openssl writes it.
OF_THE_RFC = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC"
ITS_PUBLIC_ONE = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"


def test_a_key_is_read_in_the_form_of_the_rfc_and_written_in_the_same() -> None:
    key = SigningKey.read(f" {OF_THE_RFC[:30]}\n{OF_THE_RFC[30:]}\n")
    assert key.text == OF_THE_RFC
    assert key.public.pem == ITS_PUBLIC_ONE
    assert read_public("key.pem", ITS_PUBLIC_ONE.encode()) == key.public


def test_what_one_key_signed_no_other_did() -> None:
    one, other = SigningKey.new(), SigningKey.new()
    signature = one.sign(b"text")
    assert one.public.signed(signature, b"text")
    assert not one.public.signed(signature, b"another text")
    assert not one.public.signed(signature[:-1], b"text")
    assert not other.public.signed(signature, b"text")
    assert not PublicKey(b"short").signed(signature, b"text")
    assert one.public.fingerprint != other.public.fingerprint


@pytest.mark.parametrize("text", ["", "x", "no base64!", "AAAA", OF_THE_RFC[:-4], ITS_PUBLIC_ONE.split("\n")[1]])
def test_what_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        SigningKey.read(text)
    assert str(refused.value) == (
        "CARELINK_AUDIT_KEY: must be an Ed25519 key in base64; `carelink audit new-key` makes one"
    )


def test_a_public_key_of_another_kind_is_refused() -> None:
    other = X25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for text in (b"", b"nothing", OF_THE_RFC.encode(), other):
        with pytest.raises(Invalid, match=r"key\.pem: is "):
            read_public("key.pem", text)


def test_every_column_of_an_event_is_sealed_in_the_order_in_which_it_came() -> None:
    """A new column: nullable, at the end of the table and of `COLUMNS`, else all that was sealed before is broken."""
    assert tuple(column.name for column in audit_event.columns) == COLUMNS
    assert all(audit_event.c[name].nullable for name in COLUMNS[15:])
