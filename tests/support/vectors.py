"""Recorded requests of all providers, each with the account that an operator would configure for it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.providers.base import WebhookRequest

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "vectors"

_ANOTHER = "another-secret-while-it-is-changed"
_NO_PROOF = "s3cret"  # put into the URL of requests that were recorded for their content alone
_GITHUB = {"header": "X-Hub-Signature-256", "prefix": "sha256="}
_FIELDS = {"message_id": ["id"], "person": "from", "sender": "to", "text": "text", "time": "received_at"}

Vector = Mapping[str, Any]
Settings = dict[str, Any]


@dataclass(frozen=True)
class Recorded:
    """One request with its account; `is_valid` as its author says, `now` in microseconds, 0 for any time."""

    id: str
    account: Settings
    request: WebhookRequest
    is_valid: bool
    now: int

    @property
    def base(self) -> str:
        """What an operator enters as public URL: all up to the path."""
        parts = urlsplit(self.request.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def target(self) -> str:
        """All from the path on, as the provider wrote it; "" where there is none."""
        return self.request.url.removeprefix(self.base)


def all_recorded() -> list[Recorded]:
    """Return every recorded request; none where the folder is absent."""
    vectors = [
        vector
        for path in sorted(FOLDER.glob("*.json"))
        for vector in json.loads(path.read_text(encoding="utf-8"))
    ]
    return [_recorded(vector) for vector in vectors]


def account_of(vector: Vector) -> Settings:
    """Return the settings of an account that accepts what the vector's secret proves."""
    kind = _kind(vector)
    return {"provider": kind, **_ACCOUNTS[kind](vector)}


def request_of(vector: Vector) -> WebhookRequest:
    """Return the request as it was sent; one without proof shows the secret of its account in the URL."""
    wire = vector["request"]
    headers = {name.lower(): value for name, value in wire["headers"].items()}
    request = WebhookRequest(wire["method"], wire["url"], headers, wire["body_raw"].encode(), _now(vector))
    if vector["scheme"] != "none":
        return request
    mark = "&" if "?" in request.url else "?"
    return replace(request, url=f"{request.url}{mark}key={_NO_PROOF}")


def topics_of(vector: Vector) -> list[str]:
    """Return the allowed topics, by default the one of the request, so that nothing but the signature tells."""
    if topics := vector.get("options", {}).get("allowed_topic_arns"):
        return topics
    try:
        return [json.loads(vector["request"]["body_raw"])["TopicArn"]]
    except (ValueError, KeyError, TypeError):
        return ["arn:aws:sns:us-east-1:000000000000:two-way-sms"]


def _recorded(vector: Vector) -> Recorded:
    return Recorded(vector["id"], account_of(vector), request_of(vector), vector["valid"], _now(vector))


def _now(vector: Vector) -> int:
    return vector.get("now", 0) * 1_000_000


def _kind(vector: Vector) -> str:
    if vector["provider"] == "kannel_jasmin":
        return "jasmin" if "/jasmin/" in vector["request"]["url"] else "kannel"
    return {"messagebird": "bird"}.get(vector["provider"], vector["provider"])


def _secrets(vector: Vector, another: str = _ANOTHER) -> list[str]:
    """Return the secret and one that it replaces. An empty one is no secret: then any must refuse."""
    prefix = vector.get("options", {}).get("secret_prefix", "")
    return [another, prefix + vector["secret"]] if vector["secret"] else [another]


def _window(vector: Vector) -> Settings:
    return {"tolerance_seconds": vector["tolerance_s"]} if "tolerance_s" in vector else {}


def _unsigned(vector: Vector) -> Settings:
    if vector["scheme"] == "basic-auth":
        return {"basic": _secrets(vector, "another:secret")}
    parameter = vector.get("options", {}).get("query_param", "key")
    return {"url_secrets": [_ANOTHER, vector.get("secret") or _NO_PROOF], "secret_parameter": parameter}


def _aws(vector: Vector) -> Settings:
    certificate = vector.get("cert_pem", "")
    pinned = {"certificates": [certificate]} if certificate.startswith("-----BEGIN") else {}
    return {"topics": topics_of(vector), **pinned}


def _bird(vector: Vector) -> Settings:
    generations = {"standard-webhooks": "sms", "bird-notifications-hmac": "notifications"}
    leeway = vector.get("options", {}).get("leeway_s")
    return {
        "api": generations.get(vector["scheme"], "legacy"),
        "signing_keys": _secrets(vector, "YW5vdGhlciBrZXksIGJlaW5nIHJvdGF0ZWQ="),
        **_window(vector),
        **({} if leeway is None else {"leeway_seconds": leeway}),
    }


def _generic(vector: Vector) -> Settings:
    if vector["scheme"] == "standard-webhooks":
        proof: Settings = {"webhook_secrets": _secrets(vector, "YW5vdGhlcg==")}
    else:
        proof = {"hmac_secrets": _secrets(vector), "hmac": _GITHUB}
    return {**proof, **_window(vector), "message": _FIELDS}


def _plivo(vector: Vector) -> Settings:
    is_main = "Ma" in vector.get("options", {}).get("header", "")
    tokens = {"auth_tokens": [_ANOTHER], "main_auth_tokens": _secrets(vector)}
    return {"auth_id": "MA1", **(tokens if is_main else {"auth_tokens": _secrets(vector)})}


def _sinch(vector: Vector) -> Settings:
    if vector["scheme"] == "basic-auth":
        return _unsigned(vector)
    if vector["scheme"] == "sinch-numbers-hmac-sha1":
        return {"webhook_secrets": [_ANOTHER], "numbers_secrets": _secrets(vector)}
    return {"webhook_secrets": _secrets(vector), **_window(vector)}


def _telnyx(vector: Vector) -> Settings:
    return {"public_keys": [vector["public_key"]], **_window(vector)}


def _twilio(vector: Vector) -> Settings:
    settings: Settings = {"account_sid": "ACtest"}
    if "sharedkey" not in vector["scheme"]:
        return {**settings, "auth_tokens": _secrets(vector)}
    named = vector["request"]["headers"]["X-Twilio-Webhooks-Signature-Settings"]
    algorithm = "HMAC_SHA256" if "sha256" in vector["scheme"] else "HMAC_SHA1"
    key = {"secret": vector["secret"], "algorithm": algorithm}
    return {**settings, "shared_keys": {named.partition(",")[0].removeprefix("key="): key}}


def _vonage(vector: Vector) -> Settings:
    options = vector.get("options", {})
    method = options.get("signature_method")
    return {
        "api": "sms" if method else "messages",
        "api_key": options.get("known_api_keys", ["abcd1234"])[0],
        "signature_secrets": _secrets(vector),
        **({"signature_method": method} if method else {}),
        **_window(vector),
    }


_ACCOUNTS: dict[str, Callable[[Vector], Settings]] = {
    "aws": _aws,
    "azure": _unsigned,
    "bandwidth": _unsigned,
    "bird": _bird,
    "clickatell": _unsigned,
    "generic": _generic,
    "infobip": _unsigned,
    "jasmin": _unsigned,
    "kannel": _unsigned,
    "plivo": _plivo,
    "sinch": _sinch,
    "telnyx": _telnyx,
    "twilio": _twilio,
    "vonage": _vonage,
}
