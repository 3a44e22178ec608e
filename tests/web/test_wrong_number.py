"""A wrong number is suppressed under its own reason and without a confirmation, until its new owner joins (R21)."""

from flask import Flask
from sqlalchemy import select
from support.twilio_requests import inbound
from support.web_story import BASE, choices, post, rows

from gateway.consent.address import Address, Channel
from gateway.flows.status import Statuses
from gateway.store.tables import suppressions

ANN = "+15550100001"


def reasons(app: Flask) -> list[str]:
    with app.extensions["gateway"].engine.connect() as connection:
        return [row.reason for row in connection.execute(select(suppressions))]


def is_allowed(app: Flask) -> bool:
    house = app.extensions["gateway"]
    found = Statuses(house.reader, house.book, house.keys.subject).status(
        Address(Channel.SMS, ANN), program="offers"
    )
    return found.programs[0].decision.allowed


def test_a_wrong_number_is_suppressed_and_gets_no_answer(app: Flask) -> None:
    assert post(app, inbound(BASE, "Sorry, you have the wrong number")) == []
    assert reasons(app) == ["wrong_number"]
    (event,) = rows(app)
    assert (event.klass, event.choice, event.scope, event.reply) == ("wrong_number", "n", "*", None)
    assert not is_allowed(app)


def test_who_has_the_number_now_may_join(app: Flask) -> None:
    post(app, inbound(BASE, "wrong number"))
    assert len(post(app, inbound(BASE, "START"))) == 1
    assert reasons(app) == []
    assert is_allowed(app)


def test_stop_does_not_lift_it(app: Flask) -> None:
    post(app, inbound(BASE, "wrong number"))
    post(app, inbound(BASE, "STOP"))
    assert reasons(app) == ["wrong_number"]


def test_a_second_wrong_number_after_joining_counts_again(app: Flask) -> None:
    for text in ("wrong number", "START", "wrong number"):
        post(app, inbound(BASE, text))
    assert reasons(app) == ["wrong_number"]
    assert choices(app)["*"] == "n"
