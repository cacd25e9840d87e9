"""Parts of recordings: what text says of them, how they are named, and what is wrong with one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.corpora.parts import SLACK, Part, cells_of, overlapping, part_of

TIMES = st.integers(0, 10**9).map(lambda microseconds: microseconds / 1e6)


@pytest.mark.parametrize(
    ("start", "end", "part"),
    [
        ("", "", None),
        ("0", "", None),
        ("0.0", "NaT", None),
        ("nan", "2", Part(0, 2)),
        ("1.5", "", Part(1.5)),
        (" 1 ", "2.25", Part(1, 2.25)),
        ("0 days 00:00:01.500000", "0 days 00:01:02", Part(1.5, 62)),
        ("1 days 00:00:00", "1 day 01:00:00.25", Part(86_400, 90_000.25)),
        ("0:00:01.5", "00:00:03", Part(1.5, 3)),
    ],
)
def test_cells_say_a_part_or_the_whole_file(start, end, part):
    assert part_of(start, end) == part


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        ("2", "1", r"its end \(1 s\) is not after its start \(2 s\)"),
        ("1", "1", "is not after"),
        ("", "0", "is not after"),
        ("-1", "2", "its start '-1' is no number of seconds"),
        ("soon", "", "its start 'soon' is no number"),
        ("0", "inf", "its end 'inf' is no number"),
        ("1:2", "", "its start '1:2' is no number"),
    ],
)
def test_cells_that_say_no_part_are_refused_with_the_reason(start, end, reason):
    with pytest.raises(ValueError, match=reason):
        part_of(start, end)


@given(TIMES, st.none() | TIMES)
def test_what_a_table_is_told_of_a_part_reads_back_as_the_same(start, end):
    if end is not None and end <= start:
        return
    part = None if start == 0 and end is None else Part(start, end)
    assert part_of(*cells_of(part)) == part


@given(TIMES, TIMES, TIMES, TIMES)
def test_two_parts_have_one_name_only_if_they_are_the_same(start, end, other_start, other_end):
    one, other = Part(start, end), Part(other_start, other_end)
    assert (one.name("a.wav") == other.name("a.wav")) == (one == other)


def test_a_part_is_as_long_as_it_lies_in_its_file():
    assert Part(1, 3).seconds_in(4) == 2
    assert Part(1).seconds_in(4) == 3
    assert Part(1, 4 + SLACK).seconds_in(4) == 3


@pytest.mark.parametrize("part", [Part(4), Part(1, 4.02), Part(5, 6)])
def test_a_part_beyond_the_end_of_its_file_is_refused(part):
    with pytest.raises(ValueError, match=r"is beyond the end of the file, which lasts 4\.000 s"):
        part.seconds_in(4)


def overlaps(*spans):
    return list(overlapping(spans, lambda span: span[0], lambda span: span[1:]))


def test_neighbours_do_not_overlap_and_nor_do_groups():
    assert overlaps(("ann", 0, 2), ("ann", 2, 3), ("ann", 2.995, 5), ("bob", 1, 4)) == []


def test_each_that_begins_before_an_earlier_one_has_ended_is_named():
    whole, within, later = ("ann", 0, math.inf), ("ann", 1, 2), ("ann", 3, 4)
    assert overlaps(later, within, whole) == [(within, whole), (later, whole)]
