"""The application with a fault that nobody foresaw, whose error says all that it knows. For a real server."""

from typing import Any, NoReturn

from flask import Flask
from support.leaks import MAILBOX, NUMBER, TEXT
from support.server import AUTH_TOKEN

from gateway.app import create_app as create_sound_app
from gateway.flows.inbound_message import InboundMessages
from gateway.flows.status import Statuses
from gateway.providers.base import InboundMessage


class SurpriseError(RuntimeError):
    """What nobody foresaw."""


def fail(*values: Any, **_named: Any) -> NoReturn:
    raise SurpriseError(f"{values} {TEXT} {NUMBER} {MAILBOX} {AUTH_TOKEN}")


def create_app() -> Flask:
    """Return an application that fails for some messages and for every look-up."""
    stage = InboundMessages.stage

    def stage_or_fail(self: InboundMessages, message: InboundMessage, *others: Any) -> Any:
        if message.text == TEXT:
            fail(message)
        return stage(self, message, *others)

    InboundMessages.stage = stage_or_fail  # type: ignore[method-assign]  # the fault
    Statuses.status = fail  # type: ignore[assignment]  # likewise
    return create_sound_app()
