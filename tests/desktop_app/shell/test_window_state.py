"""Window state between sessions."""

from __future__ import annotations

from PySide6.QtCore import Qt


def opened(settle):  # type: ignore[no-untyped-def]
    from standee_desktop.shell.window import MainWindow

    window = MainWindow()
    window.show()
    window.show_welcome(False)
    settle()
    return window


def closed(window, settle) -> None:  # type: ignore[no-untyped-def]
    window.close()
    window.deleteLater()
    settle()


def test_size_and_panels_are_kept(app, settle, own_places, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("STANDEE_HOME", str(own_places / "home"))
    window = opened(settle)
    window.resize(window.width(), 560)
    window.panel("history").show()
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, window.panel("layers"))
    settle()
    height = window.height()
    closed(window, settle)
    again = opened(settle)
    assert again.height() == height < 600
    assert again.panel("history").isVisible()
    left = Qt.DockWidgetArea.LeftDockWidgetArea
    assert again.dockWidgetArea(again.panel("layers")) == left
    closed(again, settle)


def test_the_welcome_page_does_not_count_as_closed_panels(  # type: ignore[no-untyped-def]
    app, settle, own_places, monkeypatch
) -> None:
    monkeypatch.setenv("STANDEE_HOME", str(own_places / "home"))
    window = opened(settle)
    window.show_welcome(True)
    settle()
    closed(window, settle)
    again = opened(settle)
    assert again.panel("layers").isVisible()
    assert not again.panel("history").isVisible()
    closed(again, settle)


def test_the_first_window_fits_on_the_screen(app, settle, own_places, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("STANDEE_HOME", str(own_places / "home"))
    window = opened(settle)
    screen = window.screen().availableGeometry()
    assert window.width() <= max(screen.width(), window.minimumSizeHint().width())
    assert window.height() <= screen.height()
    assert window.minimumSizeHint().width() <= 1024
    assert window.minimumSizeHint().height() <= 640
    closed(window, settle)
