"""Error messages in the language of the window, without Python's numbers."""

from __future__ import annotations

from standee_desktop.widgets.error_words import describe_error


def test_in_english_an_error_says_what_the_daemon_said(app) -> None:  # type: ignore[no-untyped-def]
    assert describe_error("bad-picture", "cat.png is empty.", "Save it again.") == (
        "cat.png is empty.",
        "Save it again.",
    )


def test_the_system_s_numbers_are_left_out(app) -> None:  # type: ignore[no-untyped-def]
    said, _ = describe_error("download-failed", "[Errno -2] Name or service not known", "")
    assert said == "Name or service not known"


def test_in_chinese_the_kind_of_error_is_said_and_the_rest_stands_below(app) -> None:  # type: ignore[no-untyped-def]
    from standee_desktop.shell.application import translate

    try:
        translate(app, "zh_CN")
        said, below = describe_error("out-of-memory", "It needs 20 GB.", "Use a smaller canvas.")
        assert said == "内存不足。"
        assert below == "It needs 20 GB. Use a smaller canvas."
        assert describe_error("", "自己的话。", "") == ("自己的话。", "")
    finally:
        translate(app, "en")
