"""Thread pool callbacks of deleted objects."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel
from shiboken6 import delete

from standee_desktop.services.thread_pool import ThreadPool


def test_a_widget_that_is_gone_gets_no_answer(app, settle) -> None:  # type: ignore[no-untyped-def]
    told: list[str] = []

    class Label(QLabel):
        def show_text(self, text: str) -> None:
            told.append(text)
            self.setText(text)

    workers, gone, there = ThreadPool(in_order=True), Label(), Label()
    workers.run(lambda: "a", gone.show_text)
    workers.run(lambda: "b", there.show_text)
    delete(gone)
    settle(lambda: told)
    assert told == ["b"]
    workers.close()
