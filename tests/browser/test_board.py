"""The live board in real browsers: everybody is told at once, and nothing moves under anybody's hand."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from connections_app.calls.ingest import doubt
from connections_app.models import Connection, Doubt, Operator, Role, Source
from tests.browser.board import BOX, NOTE_ARRIVALS, NOTE_SWAPS, WATCH_SHIFTS, is_up, live, row, shown
from tests.conftest import Sandbox, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

Open = Callable[..., Page]
SignIn = Callable[..., Page]


@pytest.fixture(autouse=True)
def no_faults(sift: Sandbox) -> Iterator[None]:
    yield
    sift.faults()


@pytest.fixture
def board(open_page: Open, sign_in: SignIn) -> Page:
    """The administrator's board, with four calls on it."""
    for name in ("one", "two", "three", "four"):
        live(name, start_time=f"2026-05-10T02:2{len(name)}:00Z")
    return is_up(sign_in(open_page()))


@pytest.fixture
def ana(make_operator: Callable[..., Operator]) -> Operator:
    return make_operator("ana", Role.OPERATOR, client_name="ana")


def test_a_call_placed_in_one_browser_is_in_the_other_within_three_seconds(
    open_page: Open, sign_in: SignIn, ana: Operator
) -> None:
    here, there = open_page(), open_page()
    sign_in(here, "ana")
    live("before", to="+14155550100")  # The first number that a process writes takes it a second.
    is_up(sign_in(there)).evaluate(NOTE_ARRIVALS)
    expect(row(there, "before")).to_be_visible()
    here.goto("/calls/place/")
    here.get_by_label("Phone number").fill("+14155550171")
    here.locator("[data-place]").click()
    here.wait_for_url(re.compile("/calls/[0-9a-f]+/$"))
    call = Connection.objects.get(to_endpoint="+14155550171")
    expect(row(there, call.connection_id)).to_contain_text("ana")
    seconds = there.evaluate(f"arrived['{call.connection_id}']") / 1000 - call.first_seen_at.timestamp()
    print(f"in the other browser after {seconds:.2f} s")
    assert seconds < 3  # One, on a machine that does nothing else.


def test_only_cells_that_changed_are_swapped(board: Page) -> None:
    live("five", status="connecting")
    expect(row(board, "five")).to_contain_text("Connecting")
    board.evaluate(NOTE_SWAPS)
    live("five", status="connected")
    expect(row(board, "five")).to_contain_text("Connected")
    assert set(board.evaluate("swapped")) <= {"c-status", "c-for number", "c-since"}


def test_a_whole_board_that_says_nothing_new_swaps_nothing(board: Page, ana: Operator) -> None:
    # The rest was drawn for this person at first, and for everybody after that.
    board.evaluate(NOTE_SWAPS)
    board.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    expect(board.locator("body")).to_have_attribute("data-connection", "resting")
    board.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    is_up(board)
    assert set(board.evaluate("swapped")) <= {"c-for number"}


def test_an_ended_call_is_grey_and_leaves_after_ten_seconds(board: Page) -> None:
    live("two", status="finished")
    ended = row(board, "two")
    expect(ended).to_contain_text("ended")
    expect(ended.get_by_role("link", name="Hang up")).to_have_count(0)
    over = float(ended.evaluate("(row) => Date.parse(row.dataset.over)"))
    expect(ended).to_have_count(0, timeout=14_000)
    assert 9_900 < board.evaluate("Date.now()") - over < 13_000


def test_nothing_moves_under_the_pointer_or_the_focus(board: Page) -> None:
    hovered, focused = row(board, "four"), row(board, "three")
    focused.locator("[data-copy], a").first.focus()
    hovered.hover()
    before = [hovered.evaluate(BOX), focused.evaluate(BOX)]
    first = shown(board)
    live("five", status="connecting")
    live(first[0], status="finished")
    expect(row(board, "five")).to_be_visible()
    expect(row(board, first[0])).to_contain_text("ended")
    board.wait_for_function(
        "(row) => Date.now() - Date.parse(row.dataset.over) > 11000",
        arg=row(board, first[0]).element_handle(),
        timeout=15_000,
    )
    assert [hovered.evaluate(BOX), focused.evaluate(BOX)] == before
    assert shown(board) == [*first, "five"]
    board.mouse.move(1, 1)
    expect(row(board, first[0])).to_have_count(1)
    focused.locator("a").first.evaluate("(link) => document.activeElement.blur()")
    expect(row(board, first[0])).to_have_count(0)


def test_a_pointer_that_rests_for_a_minute_counts_as_gone(open_page: Open, sign_in: SignIn) -> None:
    page = open_page(alone=True)
    page.clock.install()
    live("one")
    live("two")
    is_up(sign_in(page))
    row(page, "two").hover()
    live("one", status="finished")
    expect(row(page, "one")).to_contain_text("ended")
    page.clock.fast_forward(12_000)
    expect(row(page, "one")).to_have_count(1)
    page.clock.fast_forward(60_000)
    expect(row(page, "one")).to_have_count(0)


def test_the_focus_stays_in_a_cell_that_is_swapped(board: Page) -> None:
    call = live("five", to="+14155550142")
    link = row(board, "five").locator("a").first
    link.focus()
    live("five", to="+14155550142", status="finished")
    expect(row(board, "five")).to_contain_text("ended")
    assert board.evaluate("document.activeElement.id") == f"open-{call.pk}"


def test_a_click_is_not_lost_where_its_cell_changes_between_press_and_release(board: Page) -> None:
    four = row(board, "four")
    four.get_by_role("link", name="Hang up").hover()
    board.mouse.down()
    live("four", status="finished")
    expect(four).to_contain_text("ended")
    board.mouse.up()
    expect(four.get_by_role("button", name="Keep")).to_be_visible()


def test_what_is_read_again_every_second_or_so_waits_for_a_press_to_end(
    open_page: Open, sign_in: SignIn
) -> None:
    page = sign_in(open_page(), at="/sync/")
    page.locator("#sync > *").first.evaluate("(one) => one.setAttribute('data-pressed', '')")
    pressed = page.locator("[data-pressed]")
    pressed.hover()
    page.mouse.down()
    for _ in range(2):
        with page.expect_response("**/sync/"):
            pass
    expect(pressed).to_be_attached()
    page.mouse.up()
    expect(pressed).not_to_be_attached()


def test_what_changes_during_an_armed_hang_up_is_shown_after_it(board: Page) -> None:
    four = row(board, "four")
    four.get_by_role("link", name="Hang up").click()
    keep = four.get_by_role("button", name="Keep")
    live("four", status="finished")
    expect(four).to_contain_text("ended")
    expect(keep).to_be_focused()
    board.keyboard.press("Escape")
    expect(keep).to_have_count(0)


def test_a_hang_up_carries_a_new_id_each_time_and_says_when_the_board_is_stale(board: Page) -> None:
    four = row(board, "four")
    ids = set()
    for _ in range(2):
        four.get_by_role("link", name="Hang up").click()
        ids.add(four.locator("[data-hang-up] [name=request_id]").input_value())
        board.keyboard.press("Escape")
    four.get_by_role("link", name="Hang up").click()
    four.get_by_role("button", name="Yes").dispatch_event("click", {"detail": 2})
    expect(four.get_by_role("button", name="Keep")).to_be_visible()
    board.keyboard.press("Escape")
    assert len(ids) == 2
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one)
        for one in ids
    )
    board.evaluate("document.body.toggleAttribute('data-stale', true)")
    four.get_by_role("link", name="Hang up").click()
    with board.expect_request("**/hangup/") as asked:
        four.get_by_role("button", name="Yes").click()
    assert "stale=1" in (asked.value.post_data or "")


def test_a_refused_hang_up_says_why_and_stays(board: Page, sift: Sandbox) -> None:
    sift.faults({"kind": "status", "on": "routine", "status": 400, "words": "Not now.", "times": 1})
    four = row(board, "four")
    four.get_by_role("link", name="Hang up").click()
    four.get_by_role("button", name="Yes").click()
    expect(four).to_contain_text("The hang-up was refused: Not now.")
    expect(board.locator("#alarms")).to_contain_text("Not now.")
    live("four", direction="incoming")
    expect(four).to_contain_text("Sift called out")
    expect(four).to_contain_text("Not now.")


def test_a_hang_up_that_the_dashboard_does_not_answer_says_so(board: Page) -> None:
    board.route("**/hangup/", lambda route: route.abort())
    four = row(board, "four")
    four.get_by_role("link", name="Hang up").click()
    four.get_by_role("button", name="Yes").click()
    expect(four).to_contain_text("it may or may not have been done")
    expect(four.get_by_role("link", name="Hang up")).to_be_visible()


def test_pause_counts_what_waits_and_resuming_brings_it(board: Page) -> None:
    before = shown(board)
    board.get_by_role("button", name="Pause").click()
    live("five", status="connecting")
    live("five")
    expect(board.locator("[data-waits]")).to_have_text("Paused · 1 change waits")
    live("two", status="finished")
    expect(board.locator("[data-waits]")).to_have_text("Paused · 2 changes wait")
    assert shown(board) == before
    board.get_by_role("button", name="Resume").click()
    expect(row(board, "five")).to_contain_text("Connected")
    expect(row(board, "two")).to_contain_text("ended")
    expect(board.locator("[data-waits]")).to_have_text("")


def test_the_filter_says_what_it_hides_and_holds_for_calls_that_come(board: Page) -> None:
    field = board.get_by_label("Filter these calls")
    field.press_sequentially("one")
    expect(board.locator("#showing")).to_have_text("Showing 1 of 4 · 3 hidden by the filter show all")
    assert board.url.endswith("/?q=one")
    live("another")
    expect(board.locator("#showing")).to_contain_text("4 hidden by the filter")
    live("one-more")
    expect(row(board, "one-more")).to_be_visible()
    assert shown(board) == ["one", "one-more"]
    board.reload()
    assert shown(is_up(board)) == ["one", "one-more"]
    field.fill("zzz")
    expect(board.get_by_text("No call in progress matches the filter")).to_be_visible()
    board.locator("#showing").get_by_role("link", name="show all").click()
    expect(board.locator("#showing")).to_contain_text("6 calls")
    assert len(shown(board)) == 6


def test_the_filter_finds_numbers_as_people_write_them(board: Page) -> None:
    live("five", to="+14155550142")
    board.get_by_label("Filter these calls").fill("(415)555 connected")
    expect(board.locator("#showing")).to_contain_text("Showing 1 of 5")
    assert shown(board) == ["five"]


def test_the_filter_reads_numbers_as_they_are_written_in_ones_country(
    open_page: Open, sign_in: SignIn, ana: Operator
) -> None:
    Operator.objects.filter(pk=ana.pk).update(country="GB")
    live("london", to="+442079460018")
    live("other", to="+14155550142")
    page = is_up(sign_in(open_page(), "ana"))
    field = page.get_by_label("Filter these calls")
    for typed in ("020 7946 0018", "+44 (0)20\u20137946", "\uff10\uff12\uff10 7946", "0044 20 connected"):
        field.fill(typed)
        expect(page.locator("#showing")).to_contain_text("Showing 1 of")
        assert shown(page) == ["london"], typed
        field.fill("zzz")
        expect(page.locator("#showing")).to_contain_text("Showing 0 of")
    page.route("**/?ways=1**", lambda route: route.abort())
    field.fill("7946 0018")
    expect(page.locator("#showing")).to_contain_text("Showing 1 of")
    page.unroute("**/?ways=1**")
    field.fill("020 7946")
    live("second", to="+442079460019")
    expect(page.locator("#showing")).to_contain_text("Showing 2 of")
    page.reload()
    assert shown(is_up(page)) == ["london", "second"]


def test_mine_are_those_that_one_placed_or_is_on(open_page: Open, sign_in: SignIn, ana: Operator) -> None:
    live("one")
    page = is_up(sign_in(open_page(), "ana"))
    page.get_by_role("link", name="Mine", exact=True).click()
    expect(page.get_by_text("None of these calls is yours")).to_be_visible()
    live("two", to="webrtc:Ana")
    live("three")
    expect(row(page, "two")).to_be_visible()
    expect(page.locator("#showing")).to_contain_text("Showing 1 of 3 · 2 hidden by the filter")
    expect(row(page, "two").get_by_role("link", name="Hang up")).to_be_visible()
    page.get_by_role("link", name="All", exact=True).click()
    expect(row(page, "three")).to_be_visible()
    expect(row(page, "three").get_by_role("link", name="Hang up")).to_have_count(0)
    assert page.url.endswith("/")


def test_a_row_that_stops_matching_leaves_only_when_the_pointer_has(board: Page) -> None:
    board.get_by_label("Filter these calls").fill("connected")
    board.keyboard.press("Tab")
    row(board, "four").hover()
    live("four", status="finished")
    expect(row(board, "four")).to_contain_text("ended")
    board.mouse.move(1, 1)
    expect(row(board, "four")).to_be_hidden()


def test_an_unconfirmed_call_is_checked_and_cleared(
    open_page: Open, sign_in: SignIn, board: Page, sift: Sandbox
) -> None:
    other = is_up(sign_in(open_page()))
    doubt(Connection.objects.get(connection_id="four"), Doubt.UNCONFIRMED, Source.RETRIEVE)
    four = row(board, "four")
    expect(four).to_contain_text("Unconfirmed")
    expect(four).to_contain_text("Sift does not know it")
    four.get_by_role("button", name="Check now").click()
    expect(four).to_contain_text("Sift does not know this call. It may have ended.")
    four.get_by_role("button", name="Close").click()
    expect(four).not_to_contain_text("It may have ended.")
    four.get_by_role("link", name="Clear").dblclick()
    expect(four.get_by_role("link", name="Clear")).to_be_visible()
    four.get_by_role("link", name="Clear").click()
    expect(four.get_by_role("button", name="Keep")).to_be_focused()
    four.get_by_role("button", name="Yes, clear").click()
    expect(row(other, "four")).to_have_count(0)
    board.mouse.move(1, 1)
    expect(four).to_have_count(0)


def test_who_is_no_supervisor_checks_but_does_not_clear(
    open_page: Open, sign_in: SignIn, ana: Operator
) -> None:
    call = live("one", to="webrtc:ana")
    page = is_up(sign_in(open_page(), "ana"))
    doubt(call, Doubt.UNCONFIRMED, Source.RETRIEVE)
    expect(row(page, "one").get_by_role("button", name="Check now")).to_be_visible()
    expect(row(page, "one").get_by_role("link", name="Clear")).to_have_count(0)


def test_what_happened_is_said_in_batches(open_page: Open, sign_in: SignIn) -> None:
    page = open_page(alone=True)
    page.clock.install()
    live("one")
    is_up(sign_in(page))
    region = page.locator("#announcements")
    expect(region).to_be_empty()
    live("two")
    live("three")
    live("one", status="failed")
    expect(row(page, "three")).to_be_visible()
    expect(row(page, "one")).to_contain_text("Failed")
    expect(region).to_be_empty()
    page.clock.fast_forward(15_000)
    expect(region).to_have_text("2 calls began, 1 call failed")


def test_nothing_shifts_when_cells_are_swapped(board: Page) -> None:
    board.evaluate(WATCH_SHIFTS)
    live("five", status="connecting", to="+14155550142")
    expect(row(board, "five")).to_be_visible()
    for name in ("one", "two", "three", "four", "five"):
        live(name, direction="incoming", status="connected", **{"from": "webrtc:somebody-with-a-long-name"})
    expect(row(board, "five")).to_contain_text("Connected")
    doubt(Connection.objects.get(connection_id="four"), Doubt.UNCONFIRMED, Source.RETRIEVE)
    expect(row(board, "four")).to_contain_text("Unconfirmed")
    live("five", status="failed")
    expect(row(board, "five")).to_contain_text("ended")
    live("six", to="webrtc:somebody-with-a-name-that-is-longer-than-its-column-could-ever-be")
    expect(row(board, "six")).to_be_visible()
    shifted = board.evaluate("shifted")
    print(f"layout shift {shifted:.4f}")
    assert shifted < 0.02


def test_no_script_is_needed_to_filter_and_to_hang_up(
    open_page: Open, sign_in: SignIn, sift: Sandbox
) -> None:
    for name in ("one", "two"):
        live(name)
    page = sign_in(open_page(scripts=False))
    expect(page.locator("#freshness")).to_contain_text("Never synced")
    page.get_by_label("Filter these calls").fill("two")
    page.get_by_role("button", name="Filter").click()
    assert shown(page) == ["two"]
    expect(page.locator("#showing")).to_contain_text("Showing 1 of 2 · 1 hidden by the filter")
    row(page, "two").get_by_role("link", name="Hang up").click()
    page.get_by_role("button", name="Hang up").click()
    wait_until(lambda: sift.routines_set("two") or "Hang" not in page.title())
    page.goto("/?mine=1")
    expect(page.get_by_text("None of these calls is yours")).to_be_visible()
