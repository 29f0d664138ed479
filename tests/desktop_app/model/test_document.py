"""Editor document: one state, history steps, selection, signals. No Qt."""

import subprocess
import sys

from standee import Composition, Document, Layer, Rect
from standee_desktop.model import Change, EditorDocument, Step, edits

DIGEST = "0" * 64


def layer(name: str, x: float = 0, **fields: object) -> Layer:
    return Layer(picture=DIGEST, rect=Rect(x, 0, 10, 10), name=name, id=name, **fields)


class Recorded:
    """A history that keeps the steps it is given."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def push(self, step: Step) -> None:
        if not (self.steps and (merged := self.steps[-1].merged(step))):
            self.steps.append(step)
        else:
            self.steps[-1] = merged

    def clear(self) -> None:
        self.steps.clear()


def edited(*names: str) -> tuple[EditorDocument, Recorded]:
    history = Recorded()
    composition = Composition(layers=tuple(layer(name) for name in names))
    return EditorDocument(Document(composition), history), history


def test_the_model_needs_no_qt() -> None:
    code = "import sys, standee_desktop.model; print('PySide6' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_an_edit_is_told_with_what_was_and_what_is() -> None:
    document, _ = edited("a")
    told: list[Change] = []
    document.changed.connect(told.append)
    before = document.composition
    document.apply("Move", edits.moved(before, {"a"}, 5, 0))
    assert [(one.before, one.after) for one in told] == [(before, document.composition)]
    assert document.document.composition is document.composition


def test_an_edit_that_changes_nothing_is_no_step() -> None:
    document, history = edited("a")
    document.apply("Move", edits.moved(document.composition, {"a"}, 0, 0))
    assert history.steps == []


def test_a_drag_is_one_step_and_two_drags_are_two() -> None:
    document, history = edited("a")
    for _ in range(2):
        for _ in range(5):
            document.apply("Move", edits.moved(document.composition, {"a"}, 1, 0), "drag")
        document.end_gesture()
    assert [step.after.composition.layers[0].rect.x for step in history.steps] == [5, 10]


def test_another_edit_in_between_ends_a_drag() -> None:
    document, history = edited("a")
    document.apply("Move", edits.moved(document.composition, {"a"}, 1, 0), "drag")
    document.apply("Flip", edits.flipped(document.composition, {"a"}))
    document.apply("Move", edits.moved(document.composition, {"a"}, 1, 0), "drag")
    assert [step.text for step in history.steps] == ["Move", "Flip", "Move"]


def test_what_is_removed_is_no_longer_selected() -> None:
    document, _ = edited("a", "b")
    document.select(["b", "a", "nobody"])
    assert document.selection == ("a", "b")
    document.apply("Delete", edits.removed(document.composition, {"a"}))
    assert document.selection == ("b",)


def test_it_is_modified_until_saved_and_again_after_going_back() -> None:
    document, history = edited("a")
    told: list[bool] = []
    document.modified_changed.connect(told.append)
    document.apply("Flip", edits.flipped(document.composition, {"a"}))
    document.show(history.steps[0].before)
    document.show(history.steps[0].after)
    document.mark_saved(document.composition, document.document.path)  # type: ignore[arg-type]
    document.show(history.steps[0].before)
    assert told == [True, False, True, False, True]


def test_opening_another_document_forgets_the_old_one() -> None:
    document, history = edited("a")
    document.apply("Flip", edits.flipped(document.composition, {"a"}), select=["a"])
    document.open(Document(Composition(prompt="new")))
    assert document.composition.prompt == "new"
    assert document.selection == ()
    assert history.steps == []
    assert not document.modified


def test_a_listener_that_left_hears_nothing() -> None:
    document, _ = edited("a")
    told: list[Change] = []
    leave = document.changed.connect(told.append)
    leave()
    document.apply("Flip", edits.flipped(document.composition, {"a"}))
    assert told == []
