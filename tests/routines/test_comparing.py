"""What differs is shown among a few lines that do not, and the rest is counted."""

from connections_app.routines.comparison import Line, Mark, compare_lines

LINES = [str(number) for number in range(20)]


def marks(before: list[str], after: list[str]) -> str:
    signs = {Mark.SAME: " ", Mark.REMOVED: "-", Mark.ADDED: "+", Mark.SKIPPED: "…"}
    lines = compare_lines("\n".join(before), "\n".join(after))
    return " ".join(f"{signs[line.mark]}{line.text}".strip() for line in lines)


def test_three_lines_stand_around_what_differs() -> None:
    after = [*LINES[:10], "new", *LINES[11:]]
    assert marks(LINES, after) == "…7 lines are the same 7 8 9 -10 +new 11 12 13 …6 lines are the same"


def test_lines_between_two_changes_are_counted_too() -> None:
    after = ["new", *LINES[1:-1], "newer"]
    assert marks(LINES, after) == "-0 +new 1 2 3 …12 lines are the same 16 17 18 -19 +newer"


def test_one_line_is_shown_rather_than_counted() -> None:
    assert marks(LINES[:5], [*LINES[:4], "new"]) == "0 1 2 3 -4 +new"


def test_what_is_the_same_is_shown_whole() -> None:
    assert compare_lines("a\nb", "a\nb") == [Line(Mark.SAME, "a"), Line(Mark.SAME, "b")]


def test_what_is_only_there_once_is_added_or_removed() -> None:
    assert marks([], ["a", "b"]) == "+a +b"
    assert marks(["a", "b"], []) == "-a -b"
