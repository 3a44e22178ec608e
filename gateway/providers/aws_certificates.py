"""The certificates with which AWS signs SNS messages: pinned by the operator, or fetched from SNS and kept.

Source: AWS, "Verifying the signatures of Amazon SNS messages". SNS serves the leaf alone, without the chain to its
authority, so what vouches for it is TLS to a host of SNS, and the name in it.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.errors import NotAuthenticError, OurTroubleError
from gateway.net.outgoing import Call, NothingSentError, OutcomeUnknownError, Outgoing

Value = TypeVar("Value")

FETCH_SECONDS = 5.0  # SNS waits 15 seconds for the answer to its message

_OK = 200
_MOST_BYTES = 64 * 1024
_MOST_KEPT = 64
_LEAST_BITS = 2048
_PAUSE = 10_000_000  # microseconds after a failed fetch: callers without proof must not keep a worker waiting
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"sns[a-z0-9.-]*\.amazonaws\.com(?:\.cn)?", re.ASCII | re.IGNORECASE)
_ARMOUR = rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----"
# Text around it would be somebody else's document that holds a certificate.
_PEM = re.compile(rb"\s*(?:" + _ARMOUR + rb"\s*)+")


class Certificates:
    """The keys that may have signed a message."""

    __slots__ = ("_failures", "_kept", "_net", "_pinned")

    def __init__(self, net: Outgoing, pinned: Sequence[str] = ()) -> None:
        """With pinned certificates, in PEM, nothing is ever fetched; raises `ValueError` for what is none."""
        self._net = net
        self._pinned = [key_of(leaf_of(pem.encode())) for pem in pinned]
        self._kept: dict[str, x509.Certificate] = {}
        self._failures: dict[str, int] = {}

    def keys(self, url: str, *, signed_at: int, received_at: int) -> Sequence[RSAPublicKey]:
        """Return the pinned keys, else the one at the URL, whose host has been checked; times in microseconds.

        Raises `NotAuthenticError` when what stands there did not hold at `signed_at`, and `OurTroubleError`
        when it cannot be had now.
        """
        if self._pinned:
            return self._pinned
        certificate = self._kept.get(url) or self._fetched(url, received_at)
        when = _EPOCH + timedelta(microseconds=signed_at)
        if not certificate.not_valid_before_utc <= when <= certificate.not_valid_after_utc:
            raise NotAuthenticError("the certificate did not hold when the message was signed")
        return [key_of(certificate)]

    def _fetched(self, url: str, now: int) -> x509.Certificate:
        if now - self._failures.get(url, -_PAUSE) < _PAUSE:
            raise OurTroubleError("the signing certificate could not be fetched a moment ago")
        try:
            certificate = leaf_of(self._download(url))
            check_name(certificate)
            key_of(certificate)
        except OurTroubleError:
            _remember(self._failures, url, now)
            raise
        except ValueError as error:
            raise NotAuthenticError(f"what signs the message is no certificate of SNS: {error}") from None
        self._failures.pop(url, None)
        _remember(self._kept, url, certificate)
        return certificate

    def _download(self, url: str) -> bytes:
        try:
            returned = self._net.call(Call("GET", url, timeout=FETCH_SECONDS))
        except (NothingSentError, OutcomeUnknownError) as error:
            raise OurTroubleError("the signing certificate could not be fetched") from error
        if returned.status != _OK:
            raise OurTroubleError(
                f"SNS answered {returned.status} to the request for its signing certificate"
            )
        return returned.body


def leaf_of(pem: bytes) -> x509.Certificate:
    """Return the first certificate of a PEM document; raise `ValueError` unless each is signed by the next."""
    if len(pem) > _MOST_BYTES or not _PEM.fullmatch(pem):
        raise ValueError("not a clean PEM document of certificates")
    chain = x509.load_pem_x509_certificates(pem)
    for certificate, issuer in pairwise(chain):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (InvalidSignature, TypeError, UnsupportedAlgorithm):
            raise ValueError("a certificate is not signed by the one that follows it") from None
    return chain[0]


def key_of(certificate: x509.Certificate) -> RSAPublicKey:
    """Return the key; raise `ValueError` unless it is RSA of 2048 bits or more."""
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        raise ValueError("a key of an unknown kind") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_BITS:
        raise ValueError("not an RSA key of 2048 bits or more")
    return key


def check_name(certificate: x509.Certificate) -> None:
    """Raise `ValueError` unless the certificate was made out to SNS."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = None
    hosts = [] if names is None else names.get_values_for_type(x509.DNSName)
    if not any(_NAME.fullmatch(host) for host in hosts):
        raise ValueError("not made out to SNS")


def _remember(kept: dict[str, Value], url: str, value: Value) -> None:
    if len(kept) >= _MOST_KEPT:
        kept.pop(next(iter(kept)))
    kept[url] = value
