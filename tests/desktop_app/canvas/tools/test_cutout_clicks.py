"""Cutting out by clicks: what is asked of the daemon, the preview, and that nothing changes before it is taken."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt

from standee.wire.events import Result
from standee.wire.messages import Cutout, Point
from support.desktop.person import ALT, SHIFT, Person


class Daemon:
    """Answers cut-outs by hand."""

    def __init__(self, link) -> None:  # type: ignore[no-untyped-def]
        self._link, self.asked = link, []
        submit = link.submit

        def take(spec: Cutout, *rest, **more) -> str:  # type: ignore[no-untyped-def]
            job = submit(spec, *rest, **more)
            self.asked.append((job, spec))
            return job  # type: ignore[no-any-return]

        link.submit = take

    @property
    def spec(self) -> Cutout:
        return self.asked[-1][1]  # type: ignore[no-any-return]

    def answers(self, left: int, right: int) -> None:
        """Give the last question a mask that is white between two columns."""
        mask = np.zeros((64, 64), np.uint8)
        mask[:, left:right] = 255
        out = io.BytesIO()
        Image.fromarray(mask).save(out, "PNG")
        self._link._deliver(Result(job=self.asked[-1][0], seq=9, data=out.getvalue()))


@pytest.fixture
def daemon(assembly) -> Daemon:  # type: ignore[no-untyped-def]
    return Daemon(assembly.link)


@pytest.fixture
def clicks(person: Person, daemon, assembly, settle):  # type: ignore[no-untyped-def]
    """The clicks over a disc of 64 px, 128 px large in the middle of the canvas."""
    person.has(("disc", 64, 64, 128, 128))
    person.selects("disc")
    person.chooses("tool-clicks")
    return assembly.cutout_clicks


def test_clicks_add_and_take_away_in_the_pictures_own_px(  # type: ignore[no-untyped-def]
    person: Person, daemon, clicks
) -> None:
    person.clicks(84, 104)
    [point] = daemon.spec.points
    assert (point.x, point.y) == pytest.approx((10, 20), abs=1)
    assert point.inside
    person.clicks(164, 104, SHIFT)
    person.clicks(164, 164, ALT)
    person.types(Qt.Key.Key_X)
    person.clicks(84, 164)
    assert [one.inside for one in daemon.spec.points] == [True, False, False, False]
    assert daemon.spec.mask is None


def test_a_mirrored_layer_is_clicked_where_it_shows(person: Person, daemon, assembly) -> None:  # type: ignore[no-untyped-def]
    person.has(("disc", 64, 64, 128, 128), flip=True)
    person.selects("disc")
    person.chooses("tool-clicks")
    person.clicks(84, 104)
    assert daemon.spec.points[0].x == pytest.approx(54, abs=1)


def test_a_drag_is_a_box_and_words_look_in_it(person: Person, daemon, clicks, assembly) -> None:  # type: ignore[no-untyped-def]
    person.drags((74, 84), (150, 170))
    box = daemon.spec.box
    assert (box.x, box.y, box.w, box.h) == pytest.approx((5, 10, 38, 43), abs=1)
    assembly.clicks_bar.words.setText("a red mug")
    assembly.clicks_bar.words.returnPressed.emit()
    assert (daemon.spec.words, daemon.spec.box) == ("a red mug", box)


def test_the_preview_becomes_the_cut_out_when_it_is_taken(  # type: ignore[no-untyped-def]
    person: Person, daemon, clicks, assembly, settle
) -> None:
    person.clicks(84, 104)
    assert not assembly.clicks_bar.done.isEnabled()
    daemon.answers(0, 30)
    settle(lambda: clicks._tint is not None)
    assert person.document.layer("disc").mask is None
    assert not person.window.undo_stack.canUndo()
    assembly.clicks_bar.done.click()
    settle(lambda: person.document.layer("disc").mask is not None)
    layer = person.document.layer("disc")
    cut = person.canvas.pictures.cutout(layer.picture, layer.mask)
    assert cut[32, 10] > 0.9
    assert cut[32, 50] < 0.1
    person.chooses("undo")
    assert person.document.layer("disc").mask is None


def test_later_clicks_go_on_from_the_cut_out_that_is_there(  # type: ignore[no-untyped-def]
    person: Person, daemon, clicks, assembly, settle
) -> None:
    person.clicks(84, 104)
    daemon.answers(0, 30)
    person.types(Qt.Key.Key_Return)
    settle(lambda: person.document.layer("disc").mask is not None)
    person.chooses("tool-clicks")
    person.clicks(164, 104)
    assert daemon.spec.mask == person.document.layer("disc").mask
    assert len(daemon.spec.points) == 1
    assembly.clicks_bar.anew.click()
    assert daemon.spec == Cutout(picture=daemon.spec.picture)


def test_escape_leaves_the_cut_out_as_it_was(  # type: ignore[no-untyped-def]
    person: Person, daemon, clicks, assembly, settle
) -> None:
    person.clicks(84, 104)
    daemon.answers(0, 30)
    settle(lambda: clicks.previewing)
    person.types(Qt.Key.Key_Escape)
    assert not assembly.clicks_bar.isVisible()
    settle()
    assert person.document.layer("disc").mask is None
    assert not person.window.undo_stack.canUndo()


def test_one_back_forgets_the_last_click_and_its_preview(  # type: ignore[no-untyped-def]
    person: Person, daemon, clicks, assembly, settle
) -> None:
    person.clicks(84, 104)
    person.clicks(164, 104)
    late = daemon.asked[-1][0]
    person.types(Qt.Key.Key_Backspace)
    assert len(daemon.spec.points) == 1
    daemon.answers(0, 30)
    settle(lambda: clicks.previewing)
    kept = clicks._encoded
    assembly.link._deliver(Result(job=late, seq=9, data=b"late"))
    assert clicks._encoded is kept


def test_the_brush_goes_on_from_what_was_clicked(  # type: ignore[no-untyped-def]
    person: Person, daemon, clicks, assembly, settle
) -> None:
    person.clicks(84, 104)
    daemon.answers(0, 30)
    settle(lambda: clicks.previewing)
    person.chooses("tool-cutout")
    settle(lambda: person.document.layer("disc").mask is not None)


def test_a_photograph_is_cut_out_at_once_when_clicks_begin(  # type: ignore[no-untyped-def]
    person: Person, daemon, assembly, tmp_path, settle
) -> None:
    Image.new("RGB", (32, 32), "teal").save(tmp_path / "cat.png")
    assembly.importer.add_files([tmp_path / "cat.png"])
    settle(lambda: len(daemon.asked) == 1)
    person.chooses("tool-clicks")
    assert len(daemon.asked) == 2
    assert daemon.spec == Cutout(picture=person.document.composition.layers[0].picture)
    assembly.cutouts.cancel()
    assert assembly.cutouts.running == ()


def test_without_a_layer_it_says_so(person: Person, daemon, assembly) -> None:  # type: ignore[no-untyped-def]
    person.chooses("tool-clicks")
    assert any("Select a subject" in notice.text for notice in assembly.notices)
    person.clicks(84, 104)
    assert daemon.asked == []


def test_a_point_is_of_the_picture(person: Person, daemon, clicks) -> None:  # type: ignore[no-untyped-def]
    """A click beside the picture asks for nothing."""
    person.clicks(20, 20)
    assert daemon.asked == []
    assert Point(1, 1) not in clicks.asked[-1].points
