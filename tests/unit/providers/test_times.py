"""The times of providers, in the forms of their documentation."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.providers.times import MILLISECOND, SECOND, from_epoch, from_iso

AT = 1_475_746_119_220_000


@pytest.mark.parametrize(
    "written",
    [
        "2016-10-06T09:28:39.220+0000",
        "2016-10-06T09:28:39.220Z",
        "2016-10-06T11:28:39.220+02:00",
        "2016-10-06 09:28:39.220",
        "2016-10-06T09:28:39.220000999Z",
    ],
)
def test_a_time_is_read_in_every_usual_form(written):
    assert from_iso(written) == AT


@pytest.mark.parametrize(
    "written",
    [None, "", "soon", 5, "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59-12:00"],
)
def test_a_silly_time_is_none(written):
    assert from_iso(written) is None


@pytest.mark.parametrize(
    ("value", "unit"), [(1_475_746_119_220, MILLISECOND), ("1475746119220", MILLISECOND)]
)
def test_a_time_is_read_from_a_number(value, unit):
    assert from_epoch(value, unit) == AT


@pytest.mark.parametrize("value", [None, True, 1.5e9, "1.5e9", "-1475746119", 0, "9" * 5000, 10**400, "²"])
def test_a_silly_number_is_no_time(value):
    assert from_epoch(value, SECOND) is None


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - the strategy adds the zone
def test_no_microsecond_is_lost(at):
    assert from_iso(at.isoformat()) == (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.binary()))
def test_nothing_is_a_fault(value):
    from_iso(value)
    from_epoch(value, SECOND)
