"""The order of the list, and up to when it is known, come from the data alone."""

from datetime import UTC, datetime, timedelta

from connections_app.models import ListOrder
from connections_app.sift.payloads import Observation, parse_connection
from connections_app.sync.order import OVERLAP, is_older, mark_of, order_of

NOON = datetime(2026, 5, 10, 12, tzinfo=UTC)


def rows(*minutes: int | None) -> list[Observation]:
    parsed = [
        parse_connection(
            {
                "connection_id": f"c{n}",
                "status": "finished",
                "start_time": None if minute is None else (NOON + timedelta(minutes=minute)).isoformat(),
            }
        )
        for n, minute in enumerate(minutes)
    ]
    return [one for one in parsed if isinstance(one, Observation)]


def test_falling_times_are_newest_first() -> None:
    assert order_of(rows(9, 8, 7, 6, 5)) == ListOrder.NEWEST_FIRST


def test_rising_times_are_oldest_first() -> None:
    assert order_of(rows(1, 2, None, 3, 4, 5)) == ListOrder.OLDEST_FIRST


def test_a_few_odd_times_do_not_matter() -> None:
    assert order_of(rows(90, 88, 89, 100_000, 86, 85, 84, 83, -5000, 80, 81, 79)) == ListOrder.NEWEST_FIRST


def test_equal_missing_or_too_few_times_show_no_order() -> None:
    assert order_of(rows(1, 1, 1, 1)) == ListOrder.UNKNOWN
    assert order_of(rows(None, None, 3)) == ListOrder.UNKNOWN
    assert order_of([]) == ListOrder.UNKNOWN


def test_one_absurd_time_does_not_move_the_mark_into_the_future() -> None:
    mark = mark_of(rows(100_000, 9, 8, 7, 6))
    assert mark == NOON + timedelta(minutes=8)


def test_no_times_give_no_mark() -> None:
    assert mark_of(rows(None, None)) is None


def test_a_page_is_older_only_when_all_of_it_is_beyond_the_overlap() -> None:
    overlap = int(OVERLAP.total_seconds() // 60)
    assert is_older(rows(-overlap - 1, None, -overlap - 2), NOON)
    assert not is_older(rows(-overlap - 2, -overlap), NOON)
    assert not is_older(rows(None), NOON)
