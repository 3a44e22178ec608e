"""A Merkle tree hash, grown leaf by leaf: RFC 9162 section 2.1.1 with SHA-256."""

from collections.abc import Iterable
from hashlib import sha256

# RFC 9162: leaves and nodes are hashed apart, so that no node can be passed off as a leaf.
_LEAF = b"\x00"
_NODE = b"\x01"


class MerkleTree:
    """The tree over the leaves added so far. It keeps one hash for each perfect subtree: log2(size) of them."""

    __slots__ = ("_peaks", "size")

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._peaks: list[bytes] = []  # perfect subtrees from left to right, each larger than the next
        for leaf in leaves:
            self.add(leaf)

    def add(self, leaf: bytes) -> None:
        """Append a leaf."""
        node = sha256(_LEAF + leaf).digest()
        size = self.size
        while size & 1:  # the last subtree has just been completed by one of the same size
            node = _joined(self._peaks.pop(), node)
            size >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the tree hash, 32 bytes; that of no leaves is the hash of nothing."""
        if not self._peaks:
            return sha256().digest()
        *left, node = self._peaks
        for peak in reversed(left):
            node = _joined(peak, node)
        return node


def _joined(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()
