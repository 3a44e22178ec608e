"""Where a genuine webhook goes that cannot be read: kept before it is acknowledged, counted, and told in the log."""

import structlog

from gateway.flows.dead_letters import Copies
from gateway.metrics import Metrics
from gateway.providers.base import WebhookRequest
from gateway.store.dead_letters import DeadLetters, LetterKind

_log = structlog.get_logger(__name__)


class LetterBox:
    """The dead letters of one account."""

    def __init__(self, account: str, copies: Copies, letters: DeadLetters, metrics: Metrics) -> None:
        self._account = account
        self._copies = copies
        self._letters = letters
        self._metrics = metrics

    def keep(self, webhook: WebhookRequest, kind: LetterKind, reason: str) -> None:
        """Keep a verified webhook durably. `reason` holds nothing personal. Raises `OurTroubleError`."""
        letter = self._copies.letter(webhook, kind, reason)
        self._letters.keep(letter)
        self._metrics.dead_letter(self._account, kind)
        _log.warning(
            "dead letter", account=self._account, kind=str(kind), letter=letter.id, problem=letter.reason
        )
