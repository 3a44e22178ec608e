"""Unsubscribe links through the whole application: RFC 8058, R52 to R60 and R63."""

import json
import re
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from gateway.consent.address import Address, Channel
from gateway.mail.tokens import LinkGrant, LinkPurpose
from gateway.store.tables import events, states

BASE = "https://sms.example.com"
PAIR = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"


def link(app: Flask, address: str = "eve@example.org", scope: str = "offers") -> str:
    grant = LinkGrant(
        LinkPurpose.UNSUBSCRIBE, Address(Channel.EMAIL, address), scope, int(time.time()), "mail-7"
    )
    return "/u/" + app.extensions["gateway"].links.mint(grant)


def post(app: Flask, path: str, body: str | bytes = PAIR, content_type: str | None = FORM, **headers: str):
    return app.test_client().post(path, base_url=BASE, data=body, content_type=content_type, headers=headers)


def rows(app: Flask, table=events):
    with app.extensions["gateway"].engine.connect() as connection:
        return connection.execute(select(table)).all()


def choices(app: Flask) -> dict[str, str]:
    return {row.scope: row.choice for row in rows(app, states) if row.choice}


def test_one_click_unsubscribes_and_keeps_the_evidence(app: Flask):
    answer = post(app, link(app), **{"User-Agent": "GoogleMail", "X-Forwarded-For": "1.2.3.4"})
    assert (answer.status_code, answer.data) == (200, b"Unsubscribed.\n")
    assert "Set-Cookie" not in answer.headers
    assert "Location" not in answer.headers
    (event,) = rows(app)
    assert (event.klass, event.choice, event.scope, event.source, event.rule) == (
        "opt_out",
        "n",
        "offers",
        "one_click",
        "pair@1",
    )
    evidence = json.loads(event.evidence)
    assert evidence["user_agent"] == "GoogleMail"
    assert evidence["ip"] == "127.0.0.1"  # no proxy is trusted
    assert evidence["message"] == "mail-7"


def test_a_repeat_is_the_same_200_without_a_second_event(app: Flask):
    path = link(app)
    first, second = post(app, path), post(app, path)
    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert len(rows(app)) == 1


def test_the_same_link_unsubscribes_again_after_a_return(app: Flask):
    path = link(app)
    post(app, path)
    post(app, path, "undo=1")
    assert choices(app) == {"offers": "y"}
    post(app, path)
    assert choices(app) == {"offers": "n"}
    assert len(rows(app)) == 3


def test_undo_leads_only_back_to_where_the_person_was(app: Flask):
    post(app, link(app), "undo=1")
    assert rows(app) == []


def test_every_row_of_the_collected_requests(app: Flask, shared_data: Path):
    requests = json.loads((shared_data / "email/one_click_requests.json").read_text())["requests"]
    for number, row in enumerate(requests):
        path = link(app, f"person{number}@example.org")
        before = len(rows(app))
        headers = dict(row["headers"])
        query = headers.pop("X-Query", None)
        if headers.pop("X-Token", None) == "bad":
            path = path[:-3] + "AAA"
        if row["content_type"]:
            headers["Content-Type"] = row["content_type"]
        answer = app.test_client().open(
            path,
            method=row["method"],
            base_url=BASE,
            data=row["body"].encode() or None,
            headers=headers,
            query_string=query,
        )
        changed = len(rows(app)) - before
        expected = row["expect"]
        if row["name"].startswith("unknown or altered"):
            assert (answer.status_code, changed) == (404, 0), row["name"]
        elif expected.startswith(("unsubscribe", "policy", "200 again")):
            assert (answer.status_code, changed) == (200, 1), row["name"]
        else:
            assert changed == 0, row["name"]
            assert answer.status_code in (200, 204), row["name"]
            assert bool(answer.data) == (row["method"] == "GET"), row["name"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("query", ["", PAIR, "confirm=1"])
def test_reading_a_link_changes_nothing(app: Flask, method: str, query: str):
    answer = app.test_client().open(link(app), method=method, base_url=BASE, query_string=query)
    assert answer.status_code in (200, 204)
    assert rows(app) == []


def test_the_page_asks_and_its_button_acts(app: Flask):
    path = link(app)
    page = app.test_client().get(path, base_url=BASE)
    html = page.get_data(as_text=True)
    assert '<form method="post">' in html
    assert "Acme Offers" in html
    assert "eve@example.org" not in html
    assert "script" not in html.lower()
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    name, value = re.search(r'name="(\w+)" value="(\w+)"', html).groups()
    done = post(app, path, f"{name}={value}")
    assert "unsubscribed" in done.get_data(as_text=True)
    (event,) = rows(app)
    assert event.source == "page"
    again = post(app, path, f"{name}={value}")
    assert "already" in again.get_data(as_text=True)


def test_the_stylesheet_is_served(app: Flask):
    html = app.test_client().get(link(app), base_url=BASE).get_data(as_text=True)
    assert '"../static/unsubscribe.css"' in html
    sheet = app.test_client().get("/static/unsubscribe.css", base_url=BASE)
    assert (sheet.status_code, sheet.mimetype) == (200, "text/css")
    sheet.close()


def test_all_bad_links_look_the_same(app: Flask):
    good = link(app)
    bad = [good[:-1] + ("A" if good[-1] != "A" else "B"), good[:-9], "/u/x", "/u/1zz.AAAA", good + "AA"]
    answers = {
        (answer.status_code, answer.data, tuple(sorted(answer.headers)))
        for path in bad
        for answer in (post(app, path), post(app, path, ""), app.test_client().get(path, base_url=BASE))
    }
    assert len(answers) == 1
    assert next(iter(answers))[0] == 404
    assert rows(app) == []


def test_whoever_tries_tokens_is_slowed_and_valid_links_still_work(sqlite_app: Flask):
    statuses = [post(sqlite_app, f"/u/{number}").status_code for number in range(40)]
    assert set(statuses[:30]) == {404}
    assert set(statuses[30:]) == {429}
    assert post(sqlite_app, link(sqlite_app)).status_code == 200


def test_an_empty_post_can_be_set_to_ask(make_app, database_url: str):
    app = make_app(database_url, extra='[mail]\nempty_post = "page"\n')
    answer = post(app, link(app), b"", None)
    assert b"<form" in answer.data
    assert rows(app) == []
    assert post(app, link(app)).status_code == 200
    assert len(rows(app)) == 1


def test_cookies_and_credentials_are_ignored(app: Flask):
    answer = post(
        app, link(app), Cookie="session=x", Authorization="Basic eDp5", Origin="https://evil.example"
    )
    assert answer.status_code == 200
    assert len(rows(app)) == 1


def test_a_program_that_is_gone_from_the_settings_still_counts(app: Flask):
    assert post(app, link(app, scope="closed-club")).status_code == 200
    assert choices(app) == {"closed-club": "n"}
