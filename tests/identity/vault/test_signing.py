"""Signatures: verified offline with the published keys, former ones included."""

from base64 import urlsafe_b64decode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from identity.vault.secret import Secret
from identity.vault.signing import Signer, kid_of

OLD, NEW = Secret(b"o" * 32), Secret(b"n" * 32)


def test_a_signature_is_verified_with_the_published_key_alone() -> None:
    """The name of a key follows from its public half."""
    signer = Signer([OLD, NEW])
    published = signer.published()[-1]
    raw = urlsafe_b64decode(published.public_key + "=")
    Ed25519PublicKey.from_public_bytes(raw).verify(signer.sign(b"m"), b"m")

    assert (published.kid, kid_of(raw)) == (signer.kid, signer.kid)


def test_a_former_key_verifies_what_it_signed_and_signs_no_more() -> None:
    """Every public half stays published."""
    before, after = Signer([OLD]), Signer([OLD, NEW])
    signature = before.sign(b"m")

    assert [each.kid for each in after.published()] == [before.kid, after.kid]
    assert after.verified(before.kid, b"m", signature)
    assert not after.verified(after.kid, b"m", signature)
    assert after.verified(after.kid, b"m", after.sign(b"m"))


def test_an_altered_message_or_an_unknown_key_is_not_verified() -> None:
    """Without an error."""
    signer = Signer([NEW])

    assert not signer.verified(signer.kid, b"n", signer.sign(b"m"))
    assert not signer.verified("unknown", b"m", signer.sign(b"m"))
    assert not signer.verified(signer.kid, b"m", b"")
