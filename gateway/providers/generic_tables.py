"""The tables inside a generic account's settings: signature, messages, reports, acknowledgement, replies."""

import re
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from gateway.providers.generic_paths import Path
from gateway.providers.generic_template import Template
from gateway.providers.shared_secret import Secrets, revealed

HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"  # RFC 9110 section 5.1
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+:[ \t]*[\x21-\x7e][\x20-\x7e\t]*")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_SIGNED = frozenset({"body", "timestamp", "url", "method"})
_NO_CONTENT = 204

Values = tuple[str, ...]


class Encoding(StrEnum):
    """How a signature is written."""

    HEX = "hex"
    BASE64 = "base64"


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class HmacSettings(_Table):
    """The signature that is made with hmac_secrets."""

    header: str = Field(
        default="X-Signature", pattern=HEADER_NAME, description="Header that holds the signature."
    )
    prefix: str = Field(
        default="",
        max_length=32,
        pattern=r"^[\x20-\x7e]*$",
        description='What stands in the header before the signature, such as "sha256=".',
    )
    algorithm: Literal["sha256", "sha384", "sha512", "sha1"] = Field(
        default="sha256", description="Hash function of the HMAC."
    )
    encoding: Encoding = Field(
        default=Encoding.HEX, description="How the signature is written. Hex may be in either case."
    )
    signed: str | None = Field(
        default=None,
        description=(
            "What is signed: {body} is the raw body, {timestamp} the text of timestamp_header, {url} the public "
            "URL with its query, {method} the method; other text stands for itself. Without it {body}, or "
            "{timestamp}.{body} where there is a timestamp_header."
        ),
        examples=["{timestamp}.{body}"],
    )
    timestamp_header: str | None = Field(
        default=None,
        pattern=HEADER_NAME,
        description="Header with the time of sending, Unix seconds or milliseconds.",
        examples=["X-Timestamp"],
    )

    @model_validator(mode="after")
    def _covers_the_body(self) -> Self:
        names = set(_PLACEHOLDER.findall(self.content))
        if strangers := sorted(names - _SIGNED):
            raise ValueError(
                f"signed has {{{strangers[0]}}}: it knows {{body}}, {{timestamp}}, {{url}}, {{method}}"
            )
        if "body" not in names:
            raise ValueError("signed lacks {body}: a signature without it would fit any text")
        if ("timestamp" in names) != (self.timestamp_header is not None):
            raise ValueError("{timestamp} in signed and timestamp_header go together: give both or neither")
        return self

    @property
    def content(self) -> str:
        """What is signed."""
        return self.signed or ("{timestamp}.{body}" if self.timestamp_header else "{body}")


class MessageSettings(_Table):
    """Where everything stands in an inbound message: a path into JSON, else the name of a field."""

    elements: str | None = Field(
        default=None,
        description=(
            "JSON: the list of messages, where one webhook may hold several. All other paths begin in its "
            "elements, or with $. at the whole document."
        ),
        examples=["messages[]"],
    )
    message_id: Values = Field(
        min_length=1,
        description=(
            "The provider's id of the message, the same when it delivers again. Several fields make one id "
            "together."
        ),
        examples=[["id"]],
    )
    person: str = Field(description="The person's number; providers call it from.", examples=["from"])
    sender: str | None = Field(default="to", description="The business's number; providers call it to.")
    only_sender: str | None = Field(
        default=None,
        description="The business's number itself, where the webhooks do not tell it.",
        examples=["+15550100123"],
    )
    text: str = Field(description="The text.", examples=["text"])
    time: str | None = Field(
        default=None, description="When the person sent the message.", examples=["sent_at"]
    )
    time_format: str = Field(
        default="iso8601",
        description=(
            "How the time is written: iso8601, unix (seconds), unix_ms, or a pattern of strptime such as "
            "%d/%m/%Y %H:%M:%S. Without an offset it is taken as UTC: leave time out if it is local time."
        ),
    )
    media: str | None = Field(
        default=None, description="The attachments, or their number.", examples=["media[]"]
    )
    service: str | None = Field(
        default=None, description="Messaging service or profile of the sender.", examples=["profile"]
    )
    part_reference: str | None = Field(
        default=None,
        description="Long messages that come in parts: what all parts of one have in common.",
        examples=["part.reference"],
    )
    part_number: str | None = Field(
        default=None, description="Number of the part, from 1.", examples=["part.number"]
    )
    part_total: str | None = Field(default=None, description="Number of parts.", examples=["part.total"])
    verdict: str | None = Field(
        default=None,
        description="What the provider itself has read in the text, where it tells.",
        examples=["keyword"],
    )
    opt_out_values: Values = Field(
        default=(), description="Values of verdict that mean an opt-out.", examples=[["STOP"]]
    )
    opt_in_values: Values = Field(
        default=(), description="Values of verdict that mean an opt-in.", examples=[["START"]]
    )
    help_values: Values = Field(
        default=(), description="Values of verdict that ask for help.", examples=[["HELP"]]
    )

    @field_validator("time_format")
    @classmethod
    def _is_a_format(cls, value: str) -> str:
        if value not in {"iso8601", "unix", "unix_ms"} and "%" not in value:
            raise ValueError("time_format is none of iso8601, unix, unix_ms and no pattern of strptime")
        return value

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if not (self.sender or self.only_sender):
            raise ValueError("sender is missing: say where the business's number stands, or give only_sender")
        parts = (self.part_reference, self.part_number, self.part_total)
        if any(parts) != all(parts):
            raise ValueError("part_reference, part_number and part_total go together: give all or none")
        if self.verdict and not (self.opt_out_values or self.opt_in_values or self.help_values):
            raise ValueError("verdict has no meaning yet: give opt_out_values, opt_in_values or help_values")
        return self

    @property
    def paths(self) -> list[str]:
        """Every path but that of the elements."""
        named = (self.person, self.sender, self.text, self.time, self.media, self.service, self.verdict)
        parts = (self.part_reference, self.part_number, self.part_total)
        return [*self.message_id, *(path for path in (*named, *parts) if path)]


class StatusSettings(_Table):
    """Where everything stands in a delivery report. Without person, reports are acknowledged and not read."""

    elements: str | None = Field(
        default=None,
        description="JSON: the list of reports, where one webhook may hold several.",
        examples=["reports[]"],
    )
    person: str | None = Field(
        default=None, description="The person's number; providers call it to.", examples=["to"]
    )
    sender: str | None = Field(
        default=None,
        description=(
            "The business's number. Where it is not told, a report of an opt-out counts for every program."
        ),
        examples=["from"],
    )
    message_id: str | None = Field(
        default=None, description="The provider's id of our message.", examples=["id"]
    )
    status: str | None = Field(default=None, description="What became of the message.", examples=["status"])
    error_code: str | None = Field(default=None, description="Why it failed.", examples=["error.code"])
    opted_out_codes: Values = Field(
        default=(),
        description=(
            "Values of error_code or status that mean: the person has opted out at the provider. "
            "* means that every report does."
        ),
        examples=[["OPTED_OUT", "1042"]],
    )

    @model_validator(mode="after")
    def _has_something_to_say(self) -> Self:
        if self.person and not (self.status or self.error_code or self.opted_out_codes == ("*",)):
            raise ValueError("a report needs status or error_code: say where they stand")
        if not self.person and any((self.status, self.error_code, self.opted_out_codes)):
            raise ValueError("person is missing: say where the person's number stands")
        return self

    @property
    def paths(self) -> list[str]:
        """Every path but that of the elements."""
        named = (self.person, self.sender, self.message_id, self.status, self.error_code)
        return [path for path in named if path]


class AnswerSettings(_Table):
    """What the provider takes for success."""

    status: int = Field(default=200, ge=200, le=208, description="HTTP status.")
    content_type: str = Field(
        default="text/plain; charset=utf-8",
        pattern=r"^[\x21-\x7e][\x20-\x7e]*$",
        description="Content-Type of the body.",
    )
    body: str = Field(
        default="", description="Body. Some providers send it to the person: leave it empty for those."
    )

    @model_validator(mode="after")
    def _no_content_is_empty(self) -> Self:
        if self.status == _NO_CONTENT and self.body:
            raise ValueError("status 204 takes no body: leave it out, or use 200")
        return self


class SendSettings(_Table):
    """How the provider's API is called for a reply. Without url the account cannot send."""

    url: SecretStr | None = Field(
        default=None,
        description=(
            "URL of the call. Here and in template {to}, {from}, {text} and {reference} are filled in; "
            "{to_digits} and {from_digits} are the numbers without plus."
        ),
        examples=["https://sms.example.net/send?to={to}&from={from}&text={text}"],
    )
    method: Literal["POST", "PUT", "GET"] = Field(default="POST", description="HTTP method.")
    body: Literal["json", "form"] = Field(default="json", description="What template is.")
    template: SecretStr | None = Field(
        default=None,
        description="The body: a JSON document, or a form as name=value&name=value. Without it there is none.",
        examples=['{"to": "{to}", "from": "{from}", "text": "{text}"}'],
    )
    headers: Secrets = Field(
        default_factory=list,
        description='Further headers, each as "Name: value".',
        examples=[["X-Api-Key: ${GENERIC_API_KEY}"]],
    )
    username: str | None = Field(default=None, description="User of HTTP Basic authentication.")
    password: SecretStr | None = Field(default=None, description="Password of username.")
    accepted_statuses: tuple[int, ...] = Field(
        default=(),
        description="HTTP statuses that mean accepted; without any, every 2xx.",
        examples=[[200, 201]],
    )
    message_id: str | None = Field(
        default=None,
        description="Path of the message's id in the JSON of the answer.",
        examples=["messages[0].id"],
    )
    code: str | None = Field(
        default=None,
        description="Path of the result in the JSON of the answer, where the status does not tell all.",
        examples=["messages[0].status"],
    )
    accepted_codes: Values = Field(
        default=(), description="Results that mean accepted; without any, all.", examples=[["SUCCESS"]]
    )
    opted_out_codes: Values = Field(
        default=(),
        description="Results, or HTTP statuses, that mean: the person has opted out at the provider.",
        examples=[["OPTED_OUT"]],
    )
    busy_codes: Values = Field(
        default=(),
        description="Results that mean: nothing was taken, come again.",
        examples=[["THROTTLED"]],
    )

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: list[SecretStr]) -> list[SecretStr]:
        if not all(_HEADER.fullmatch(header) for header in revealed(headers)):
            raise ValueError('an entry of headers is not "Name: value"')
        return headers

    @field_validator("message_id", "code")
    @classmethod
    def _are_plain_paths(cls, path: str | None) -> str | None:
        if path and None in Path.parse(path).steps:
            raise ValueError(f"{path!r} means many values: name one, such as [0]")
        return path

    @model_validator(mode="after")
    def _can_be_filled_in(self) -> Self:
        if self.url is None:
            if self.template is not None:
                raise ValueError("url is missing: template alone sends nothing")
            return self
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together: give both or neither")
        if self.accepted_codes and not self.code:
            raise ValueError("accepted_codes need code: say where the result stands in the answer")
        self.compiled()
        return self

    def compiled(self) -> Template:
        """Return what makes the calls; raise `ValueError` for a template that cannot be filled in."""
        url = self.url.get_secret_value() if self.url else ""
        template = self.template.get_secret_value() if self.template else ""
        return Template.compile(url, self.body if template else None, template)
