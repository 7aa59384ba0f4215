"""What a token proved is stored by type, and falls with the user id that the rest belongs to."""

from identity.values.identity_tokens.claims import Proof, TokenClaims, TokenFault

WHOLE = Proof({"user_id": "ann", "email": "ann@x.org", "phone": "+4930901820"}, ["email"])


def test_claims_name_identifiers_by_type() -> None:
    """The subject is the user id."""
    assert TokenClaims("ann", None, "+4930901820").named() == (
        ("user_id", "ann"),
        ("email", None),
        ("phone", "+4930901820"),
    )


def test_a_proof_claims_the_same_again() -> None:
    """For a replay of the stored call."""
    assert WHOLE.claims() == TokenClaims("ann", "ann@x.org", "+4930901820")
    assert Proof({"user_id": "ann"}).claims() == TokenClaims("ann")
    assert Proof({"email": "ann@x.org"}).claims() is None


def test_a_proof_loses_what_is_hidden() -> None:
    """Without its user id nothing is left; another value of a type takes nothing away."""
    assert WHOLE.without({("email", "ann@x.org")}) == Proof({"user_id": "ann", "phone": "+4930901820"}, [])
    assert WHOLE.without({("email", "bob@x.org")}) == WHOLE
    assert WHOLE.without({("user_id", "ann")}) is None


def test_every_fault_is_of_one_family() -> None:
    """Readers of reasons find them together; the words never change."""
    words = "not_text too_long too_many malformed unknown_key wrong_algorithm bad_signature wrong_audience no_expiry"
    words += " lives_too_long expired not_yet_valid bad_claim no_subject other_user"
    assert [*TokenFault] == [f"identity_token:{word}" for word in words.split()]
