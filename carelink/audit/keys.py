"""The Ed25519 keys (RFC 8032) that sign seals. Who has only the public one can verify, and can't seal."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_public_key,
)

from carelink.errors import Invalid

SETTING = "CARELINK_AUDIT_KEY"


@dataclass(frozen=True)
class PublicKey:
    """The 32 bytes of it."""

    raw: bytes

    @property
    def fingerprint(self) -> str:
        """What the key is called: the first 16 bytes of its SHA-256, in hexadecimal."""
        return sha256(self.raw).hexdigest()[:32]

    @property
    def pem(self) -> str:
        """As other programs read it (RFC 8410)."""
        made = Ed25519PublicKey.from_public_bytes(self.raw)
        return made.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def signed(self, signature: bytes, text: bytes) -> bool:
        """Whether that is this key's signature of the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, text)
        except (InvalidSignature, ValueError):  # ValueError: these bytes are no key
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """The private key and its public one."""

    private: Ed25519PrivateKey
    public: PublicKey

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> SigningKey:
        """With the public key that belongs to it."""
        return cls(private, PublicKey(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)))

    @classmethod
    def new(cls) -> SigningKey:
        """One that nobody has had before."""
        return cls.of(Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, text: str) -> SigningKey:
        """From the setting: PKCS 8 in base64, as `openssl genpkey -algorithm ed25519 -outform DER | base64` writes it.

        Raises `Invalid` for anything else, without repeating what it was.
        """
        try:
            private = load_der_private_key(b64decode("".join(text.split()), validate=True), None)
        except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm):
            private = None
        if not isinstance(private, Ed25519PrivateKey):
            raise Invalid(SETTING, "must be an Ed25519 key in base64; `carelink audit new-key` makes one")
        return cls.of(private)

    @property
    def text(self) -> str:
        """The line that `read` takes. Secret."""
        return b64encode(self.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).decode()

    def sign(self, text: bytes) -> bytes:
        """The signature, of 64 bytes."""
        return self.private.sign(text)


def read_public(place: str, text: bytes) -> PublicKey:
    """From PEM. Raises `Invalid`, naming `place`, for anything but one Ed25519 public key."""
    try:
        key = load_pem_public_key(text)
    except (ValueError, UnsupportedAlgorithm) as wrong:
        raise Invalid(place, "is not a public key in PEM, as `carelink audit key` writes it") from wrong
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid(place, "is another kind of key: seals are signed with Ed25519")
    return PublicKey(key.public_bytes(Encoding.Raw, PublicFormat.Raw))
