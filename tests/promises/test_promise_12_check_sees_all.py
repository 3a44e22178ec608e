"""12. The check before sending sees every word that was accepted before it."""

import json
import random
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import count
from multiprocessing import get_context

import pytest
from support.elsewhere import is_allowed, prepare
from support.live import Live

CLIENTS = 4
ROUNDS = 80
_persons = count(random.SystemRandom().randrange(1000) * 1000)


@pytest.fixture
def third_process(live: Live) -> Iterator[ProcessPoolExecutor]:
    """A process that is no server, and reads the database by the same flow."""
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=prepare, initargs=(str(live.server.config),)
    ) as pool:
        assert pool.submit(is_allowed, "+15550000000").result() is True
        yield pool


def decisions(live: Live, third: ProcessPoolExecutor, number: str) -> dict[str, bool]:
    """Ask on every way there is, each over a connection of its own."""
    status, found = live.ask("GET", f"/v1/consents/sms/{number}?program=offers")
    assert status == 200
    shown = json.loads(found)["decisions"][0]["allowed"]
    bare = json.loads(live.ask("GET", f"/v1/consents/sms/{number}")[1])["decisions"][0]["allowed"]
    wanted = json.dumps({"channel": "sms", "program": "offers", "addresses": [number]}).encode()
    status, found = live.ask("POST", "/v1/check", wanted)
    assert status == 200
    checked = json.loads(found)["results"][0]["allowed"]
    flow = third.submit(is_allowed, number).result()
    return {"status": shown, "status, fast": bare, "check": checked, "flow elsewhere": flow}


def wrong(live: Live, third: ProcessPoolExecutor, number: str, *, expected: bool) -> list[str]:
    """Return the ways that tell something else than expected."""
    found = decisions(live, third, number)
    return [f"{number}: {way}" for way, is_allowed_there in found.items() if is_allowed_there is not expected]


def test_every_check_after_an_accepted_stop_denies(live: Live, third_process: ProcessPoolExecutor):
    """Each person is looked up before too, so that an answer which is remembered anywhere shows."""

    def client(_: int) -> list[str]:
        missed = []
        for _round in range(ROUNDS):
            number = f"+1555{next(_persons):07d}"
            missed += wrong(live, third_process, number, expected=True)
            for text in ("STOP", "START", "STOP ALL"):
                assert live.say(text, number)[0] == 200
                if text != "START":
                    missed += wrong(live, third_process, number, expected=False)
        return missed

    with ThreadPoolExecutor(CLIENTS) as pool:
        missed = [each for found in pool.map(client, range(CLIENTS)) for each in found]
    assert missed == []
    assert len(processes_that_answered(live)) == 2


def processes_that_answered(live: Live) -> set[str]:
    """Return the ids of the processes in the access log, whose lines end with them."""
    return set(re.findall(r" ms <(\d+)>$", live.server.log(), re.MULTILINE))
