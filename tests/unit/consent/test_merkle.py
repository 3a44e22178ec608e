"""The Merkle tree hash of RFC 9162 section 2.1.1."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.consent.merkle import MerkleTree

# The inputs and roots of Certificate Transparency's reference implementation, after 1 to 8 leaves.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def defined(leaves: list[bytes]) -> bytes:
    """Return the hash as the RFC defines it, by recursion."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + defined(leaves[:half]) + defined(leaves[half:])).digest()


def test_the_tree_of_nothing_is_the_hash_of_nothing():
    tree = MerkleTree()
    assert tree.root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert tree.size == 0


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_of_certificate_transparency(size: int):
    assert MerkleTree(LEAVES[:size]).root().hex() == ROOTS[size - 1]


@given(st.lists(st.binary(max_size=40), max_size=70))
def test_growing_leaf_by_leaf_gives_the_hash_of_the_definition(leaves: list[bytes]):
    tree = MerkleTree()
    for number, leaf in enumerate(leaves):
        assert tree.root() == defined(leaves[:number])
        tree.add(leaf)
    assert tree.root() == defined(leaves)
    assert tree.size == len(leaves)


def test_it_keeps_no_more_than_a_hash_for_each_power_of_two():
    tree = MerkleTree(number.to_bytes(4, "big") for number in range(100_000))
    assert len(tree._peaks) == (100_000).bit_count()


def test_a_node_cannot_be_passed_off_as_a_leaf():
    left, right = (sha256(b"\x00" + leaf).digest() for leaf in (b"a", b"b"))
    assert MerkleTree([b"a", b"b"]).root() != MerkleTree([left + right]).root()
