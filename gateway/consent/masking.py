"""An address as it may be shown to whoever holds a link: the person knows it again, nobody else learns it."""

from gateway.consent.address import Address, Channel

_DOTS = "•••"  # always three, so that the length stays hidden
_LONG = 10
_TAIL = 4
_SHORT_TAIL = 2


def mask_address(address: Address) -> str:
    """Return `j•••@example.org` for a mailbox, and dots with the last 2 to 4 characters for anything else."""
    if address.channel is Channel.EMAIL:
        return _masked_mailbox(address.value)
    tail = _TAIL if len(address.value) >= _LONG else _SHORT_TAIL
    return _DOTS + (address.value[-tail:] if len(address.value) > 2 * tail else "")


def _masked_mailbox(value: str) -> str:
    local, _, domain = value.rpartition("@")
    return f"{local[0] if len(local) > 1 else ''}{_DOTS}@{domain}"
