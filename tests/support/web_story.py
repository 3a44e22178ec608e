"""One person writes to the application in process, and what it made of that."""

from typing import Any
from xml.etree import ElementTree as ET

from flask import Flask
from sqlalchemy import Row, select
from support.twilio_requests import Inbound

from gateway.store.tables import events, states

BASE = "https://sms.example.com"


def post(app: Flask, message: Inbound) -> list[str]:
    """Deliver the message and return the texts of the answer."""
    path = message.url.removeprefix(BASE)
    answer = app.test_client().post(path, base_url=BASE, data=message.fields, headers=message.headers)
    assert answer.status_code == 200
    return [element.text or "" for element in ET.fromstring(answer.data)]


def rows(app: Flask) -> list[Row[Any]]:
    """Return the events in the order of the person's ledger."""
    with app.extensions["gateway"].engine.connect() as connection:
        return list(connection.execute(select(events).order_by(events.c.seq)))


def choices(app: Flask) -> dict[str, str]:
    """Return the choices that stand, by scope."""
    with app.extensions["gateway"].engine.connect() as connection:
        found = connection.execute(select(states).where(states.c.choice.is_not(None))).all()
    return {row.scope: row.choice for row in found}
