"""Proof for signatures that do not cover the body: what was signed once must not come again with other content."""

from dataclasses import dataclass
from hashlib import sha256

from gateway.errors import NotAuthenticError
from gateway.providers.base import Provider, WebhookRequest
from gateway.store.nonces import Nonces


@dataclass(frozen=True, slots=True)
class NonceGuard:
    """Stands before the parser of one account."""

    account: str
    provider: Provider
    nonces: Nonces

    def proved(self, webhook: WebhookRequest) -> WebhookRequest:
        """Return the request if it is authentic, its nonce claimed durably; raise `NotAuthenticError`.

        The same request may come again: it is a repeated delivery. Raises `OurTroubleError` when the nonce
        cannot be claimed.
        """
        self.provider.verify(webhook)
        nonce = self.provider.nonce(webhook)
        if nonce is not None and not self._claim(nonce, webhook):
            raise NotAuthenticError("the nonce belongs to another request")
        return webhook

    def _claim(self, nonce: str, webhook: WebhookRequest) -> bool:
        return self.nonces.claim(self.account, nonce, _digest(webhook), now=webhook.received_at)


def uses_nonces(provider: Provider) -> bool:
    """Tell whether the provider's signatures need them."""
    return type(provider).nonce is not Provider.nonce


def _digest(webhook: WebhookRequest) -> bytes:
    head = f"{webhook.method}\0{webhook.url}\0"
    return sha256(head.encode("utf-8", "surrogatepass") + webhook.body).digest()
