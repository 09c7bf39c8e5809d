"""Ed25519 as the outsider's verifier has it written out: the vectors of the RFC, and `cryptography` as the oracle."""

import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.receipts.verifier import BASE, NEUTRAL, L, P, genuine, point, times

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "rfc8032.json").read_text())["vectors"]
# the eight points of small order, each in its canonical form: on every one of them some signature holds for any message
SMALL = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
)
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()


def oracle(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize("vector", VECTORS, ids=[one["name"] for one in VECTORS])
def test_every_vector_of_the_rfc_verifies_and_none_with_a_bit_turned(vector):
    key, message, signature = (bytes.fromhex(vector[name]) for name in ("public_key", "message", "signature"))
    assert genuine(key, message, signature)
    assert not genuine(key, message + b"\0", signature)
    for place in (0, 31, 32, 62):
        assert not genuine(key, message, turned(signature, 8 * place))


def test_the_vectors_are_all_five_of_the_rfc():
    assert [(one["name"], len(one["message"]) // 2) for one in VECTORS] == [
        ("TEST 1", 0),
        ("TEST 2", 1),
        ("TEST 3", 2),
        ("TEST 1024", 1023),
        ("TEST SHA(abc)", 64),
    ]


@settings(max_examples=40, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=300))
def test_whatever_an_independent_program_signs_verifies(seed, message):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    assert genuine(private.public_key().public_bytes_raw(), message, private.sign(message))


@settings(max_examples=150, deadline=None)
@given(message=st.binary(max_size=64), bit=st.integers(0, 8 * 96 - 1))
def test_one_bit_turned_in_key_or_signature_is_refused_as_the_oracle_refuses_it(message, bit):
    key, signature = PUBLIC, PRIVATE.sign(message)
    whole = turned(key + signature, bit)
    assert not oracle(whole[:32], message, whole[32:])
    assert not genuine(whole[:32], message, whole[32:])


@settings(max_examples=100, deadline=None)
@given(key=st.binary(max_size=40), signature=st.binary(max_size=70), message=st.binary(max_size=20))
def test_bytes_of_any_length_are_refused_and_raise_nothing(key, signature, message):
    assert not genuine(key, message, signature)


@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 128])
def test_a_signature_cut_short_or_prolonged_is_refused(length):
    signature = (PRIVATE.sign(b"receipt") * 2)[:length]
    assert not genuine(PUBLIC, b"receipt", signature)


def test_a_signature_has_one_form_only():
    signature = PRIVATE.sign(b"receipt")
    s = int.from_bytes(signature[32:], "little")
    assert genuine(PUBLIC, b"receipt", signature)
    for other in (s + L, s + 2 * L, s | 1 << 255):
        assert not genuine(PUBLIC, b"receipt", signature[:32] + other.to_bytes(32, "little"))


@pytest.mark.parametrize("encoded", SMALL)
def test_a_key_of_small_order_vouches_for_nothing(encoded):
    key = bytes.fromhex(encoded)
    found = point(key)
    assert found is not None
    assert times(8, found, 0, found)[0] == 0  # it is one of them
    forged = [SMALL[0] + "00" * 32, SMALL[1] + "00" * 32, encoded + "00" * 32]
    assert not any(genuine(key, b"%d" % message, bytes.fromhex(one)) for message in range(16) for one in forged)


def test_the_forgery_that_a_key_of_small_order_allows_is_one():
    """Without the rule the empty signature would hold for every message: the oracle, which has no such rule, takes it."""
    assert oracle(bytes.fromhex(SMALL[0]), b"anything", bytes.fromhex(SMALL[0] + "00" * 32))


@pytest.mark.parametrize("y", [P, P + 1, 2**255 - 1, P + 3])
def test_a_point_has_one_encoding_only(y):
    assert point(y.to_bytes(32, "little")) is None
    assert point((y | 1 << 255).to_bytes(32, "little")) is None


def test_zero_has_no_sign():
    assert point((1).to_bytes(32, "little")) == NEUTRAL
    assert point((1 | 1 << 255).to_bytes(32, "little")) is None


def test_the_base_point_has_the_order_that_the_rfc_gives():
    x, y, z, _ = times(L, BASE, 0, BASE)
    assert (x, y - z) == (0, 0)
    assert times(8, BASE, 0, BASE)[0] != 0
    assert BASE[0] == 15112221349535400772501151409588531511454012693041857206046113283949847762202


def turned(content: bytes, bit: int) -> bytes:
    """The same with one bit turned."""
    found = bytearray(content)
    found[bit // 8] ^= 1 << bit % 8
    return bytes(found)
