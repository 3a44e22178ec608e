"""What the worker reads late, and what it deletes when it is old enough."""

from collections.abc import Callable, Mapping

import structlog

from gateway.configuration.limits import LimitSettings, RetentionSettings
from gateway.flows.inbound_message import Account
from gateway.flows.intake import ApiAccount, settle
from gateway.flows.long_messages import LongMessages
from gateway.store.dead_letters import DeadLetters
from gateway.store.ledger import now_microseconds
from gateway.store.message_parts import MessageParts
from gateway.store.nonces import Nonces

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_LOOK_EVERY = _SECOND
_PRUNE_EVERY = 3600 * _SECOND
_PARTS_A_TURN = 100
# Longer than any provider repeats a delivery.
_PARTS_ARE_KEPT = 7 * _DAY

_log = structlog.get_logger(__name__)


class LateParts:
    """Reads the parts of long messages whose others did not come in time, and what a crash left unread."""

    def __init__(
        self,
        long_messages: LongMessages,
        accounts: Mapping[str, Account],
        *,
        wait: int,
        clock: Callable[[], int] = now_microseconds,
    ) -> None:
        """Take the accounts by name, and for how long (microseconds) parts are waited for."""
        self._long_messages = long_messages
        self._accounts = accounts
        self._wait = wait
        self._clock = clock
        self._looked_at: int | None = None

    def turn(self) -> int:
        """Look once a second and read what is overdue; return how many texts. Raises `OurTroubleError`."""
        now = self._clock()
        if self._looked_at is not None and abs(now - self._looked_at) < _LOOK_EVERY:
            return 0
        self._looked_at = now
        found = self._long_messages.overdue(now - self._wait, _PARTS_A_TURN)
        settled = settle([self._long_messages.stage(each, self._account(each.account)) for each in found])
        if settled.poison is not None:
            raise settled.poison
        return len(settled.outcomes)

    def _account(self, name: str) -> Account:
        return self._accounts.get(name) or ApiAccount(name, kind="", provider=None)


class Retention:
    """Deletes what the settings do not let us keep any longer."""

    def __init__(
        self,
        letters: DeadLetters,
        nonces: Nonces,
        parts: MessageParts,
        settings: RetentionSettings,
        limits: LimitSettings,
        *,
        clock: Callable[[], int] = now_microseconds,
    ) -> None:
        self._letters = letters
        self._nonces = nonces
        self._parts = parts
        self._settings = settings
        self._most_letters = limits.dead_letters
        self._clock = clock
        self._done_at: int | None = None

    def turn(self) -> None:
        """Delete once an hour. Raises `OurTroubleError`."""
        now = self._clock()
        if self._done_at is not None and abs(now - self._done_at) < _PRUNE_EVERY:
            return
        self._done_at = now
        gone = {
            "dead_letters": self._letters.prune(
                before=now - self._settings.dead_letters_days * _DAY, most=self._most_letters
            ),
            "nonces": self._nonces.prune(before=now - self._settings.nonces_days * _DAY),
            "message_parts": self._parts.prune(before=now - _PARTS_ARE_KEPT),
        }
        if any(gone.values()):
            _log.info("deleted what was old", **gone)
