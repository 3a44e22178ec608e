"""Reference: what one writes after Twilio's tutorial for Flask, done well.

The signature is checked by the official library, the message is kept once by a unique id, the opt-out is
upserted, both in one session and one durable commit, and the answer is made by the official library. SQLite
has WAL and waits for the disk, as the gateway does; PostgreSQL has a pooled connection for each thread.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps

from flask import Flask, abort, request
from sqlalchemy import create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # it has no types
from twilio.twiml.messaging_response import MessagingResponse  # type: ignore[import-untyped]  # likewise

THREADS = 4
View = Callable[[], tuple[str, dict[str, str]]]

_STOP_WORDS = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
_START_WORDS = {"START", "YES", "UNSTOP"}
_STOPPED = "Bench Shop: you are unsubscribed and will get no more messages. Reply START to return."
_STARTED = "Bench Shop: you are subscribed. Reply STOP to end."


class Base(DeclarativeBase):
    pass


class Message(Base):
    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(primary_key=True)
    message_sid: Mapped[str] = mapped_column(unique=True)
    origin: Mapped[str]
    recipient: Mapped[str]
    body: Mapped[str]
    received_at: Mapped[datetime]


class OptOut(Base):
    __tablename__ = "opt_outs"
    number: Mapped[str] = mapped_column(primary_key=True)
    is_opted_out: Mapped[bool]
    changed_at: Mapped[datetime]


def open_engine(url: str) -> Engine:
    """Return an engine whose commits are durable."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(make_url(url).set(drivername="postgresql+psycopg"), pool_size=THREADS)
    engine = create_engine(url, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def configure(connection: object, _record: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]  # sqlite3.Connection

    return engine


def create_tables(url: str) -> None:
    """Make the tables in an empty database."""
    engine = open_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()


def create_app() -> Flask:
    """Return the application on the database that the environment names."""
    app = Flask(__name__)
    engine = open_engine(os.environ["BENCH_DATABASE_URL"])
    validator = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])

    @app.post("/sms/acme")
    @_validated(validator)
    def incoming() -> tuple[str, dict[str, str]]:
        text = request.form["Body"].strip().upper()
        with Session(engine) as session:
            _keep(session, text)
        response = MessagingResponse()
        if text in _STOP_WORDS:
            response.message(_STOPPED)
        elif text in _START_WORDS:
            response.message(_STARTED)
        return str(response), {"Content-Type": "text/xml"}

    return app


def _validated(validator: RequestValidator) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def checked() -> tuple[str, dict[str, str]]:
            signature = request.headers.get("X-Twilio-Signature", "")
            if not validator.validate(request.url, request.form, signature):
                abort(403)
            return view()

        return checked

    return decorate


def _keep(session: Session, text: str) -> None:
    """Write the message and what it changes; a message that came before changes nothing."""
    form, now = request.form, datetime.now(UTC)
    session.add(
        Message(
            message_sid=form["MessageSid"],
            origin=form["From"],
            recipient=form["To"],
            body=form["Body"],
            received_at=now,
        )
    )
    try:
        session.flush()
        if text in _STOP_WORDS or text in _START_WORDS:
            _upsert(session, form["From"], is_opted_out=text in _STOP_WORDS, now=now)
        session.commit()
    except IntegrityError:
        session.rollback()


def _upsert(session: Session, number: str, *, is_opted_out: bool, now: datetime) -> None:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    values = {"is_opted_out": is_opted_out, "changed_at": now}
    statement = dialect.insert(OptOut).values(number=number, **values)
    session.execute(statement.on_conflict_do_update(index_elements=[OptOut.number], set_=values))
