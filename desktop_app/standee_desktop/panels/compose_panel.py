"""Compose panel: the prompt, sampling settings, and the job list."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from standee.composition import Composition
from standee.wire.messages import ModelInfo

from ..model import Change, EditorDocument, edits
from ..services.composer import Composer
from ..services.daemon_link import ConnectionState, DaemonLink
from ..storage.settings import settings
from ..widgets.fields import (
    AutoDoubleSpin,
    AutoSpin,
    PromptEdit,
    SeedField,
    StrengthSlider,
    form,
    heading,
    make_plain,
    tool_button,
)
from ..widgets.icons import icon
from ..widgets.inputs import SpinBox
from ..widgets.model_combo import ModelCombo
from .job_list import JobList
from .lora_list import LoraList

DEFAULT_FIDELITY = "compose/fidelity"
NEW_SEED = "compose/new-seed"


class ComposePanel(QWidget):
    """Prompt, settings, the button, and the queue."""

    def __init__(
        self,
        editor: EditorDocument,
        composer: Composer,
        link: DaemonLink,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor, self._composer = editor, composer
        self._models: dict[str, ModelInfo] = {}
        self.prompt = PromptEdit()
        self.model = ModelCombo()
        self.seed = SeedField()
        self.dice = tool_button("dice", self.tr("Roll another seed"))
        self.new_seed = QCheckBox(self.tr("New seed each time"))
        self.steps = AutoSpin(200, self.tr("Auto"))
        self.guidance = AutoDoubleSpin(50.0, self.tr("Auto"))
        self.count = SpinBox()
        self.loras = LoraList()
        self.fidelity = StrengthSlider(
            1.0,
            self.tr("Start fidelity"),
            self.tr("How closely new subjects keep to their pictures"),
        )
        self.button = QPushButton(icon("compose", "on_accent"), self.tr("Compose"))
        self.live = QPushButton(self.tr("Live"))
        self.queue = JobList(composer)
        self._name_fields()
        self._lay_out()
        self._connect(link)
        self._show(editor.composition)
        self._show_contact(link.contact)

    def compose(self, *, collage: bool = False) -> None:
        """Hand in the arrangement, by a seed of its own unless the artist holds on to one; see `Composer.compose`."""
        self._editor.end_gesture()
        self._composer.compose(self.new_seed.isChecked(), collage=collage)

    def new_fidelity(self) -> float:
        """Return the fidelity that new subjects get."""
        return self.fidelity.number.value()

    # -- how it is made --------------------------------------------------------------------------

    def _name_fields(self) -> None:
        self.setObjectName("compose")
        self.prompt.setPlaceholderText(self.tr("What the whole picture shows, in words"))
        self.prompt.setMinimumHeight(54)  # on a low screen it makes room for the rest
        self.prompt.setMaximumHeight(112)
        names: list[tuple[QWidget, str, str]] = [
            (self.prompt, "prompt", self.tr("Prompt")),
            (self.model, "model", self.tr("Model")),
            (self.seed, "seed", self.tr("Seed")),
            (self.steps, "steps", self.tr("Steps")),
            (self.guidance, "guidance", self.tr("Guidance")),
            (self.count, "count", self.tr("Number of pictures")),
            (self.button, "compose-button", self.tr("Compose")),
            (self.live, "live-button", self.tr("Live mode")),
        ]
        for widget, name, words in names:
            widget.setObjectName(name)
            widget.setAccessibleName(words)
        self.count.setRange(1, 64)
        make_plain(self.count)
        self.steps.setToolTip(self.tr("More steps take longer and look finer"))
        self.guidance.setToolTip(self.tr("How closely the picture follows the prompt"))
        self.button.setProperty("role", "primary")
        self.live.setCheckable(True)
        self.live.setToolTip(self.tr("Compose again whenever the arrangement changes"))

    def _lay_out(self) -> None:
        seed = QHBoxLayout()
        seed.setSpacing(4)
        seed.addWidget(self.seed, 1)
        seed.addWidget(self.dice)
        rows = form()
        rows.addRow(self.tr("Model"), self.model)
        rows.addRow(self.tr("Seed"), seed)
        rows.addRow("", self.new_seed)
        rows.addRow(self.tr("Steps"), self.steps)
        rows.addRow(self.tr("Guidance"), self.guidance)
        rows.addRow(self.tr("Pictures"), self.count)
        rows.addRow(self.tr("LoRAs"), self.loras)
        rows.addRow(self.tr("Start fidelity"), self.fidelity)
        buttons = QHBoxLayout()
        buttons.addWidget(self.button, 1)
        buttons.addWidget(self.live)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 12)
        layout.setSpacing(10)
        layout.addWidget(heading(self.tr("Prompt")))
        layout.addWidget(self.prompt, 2)
        layout.addLayout(rows)
        layout.addLayout(buttons)
        layout.addWidget(self.queue, 1)

    def _connect(self, link: DaemonLink) -> None:
        editor, composer = self._editor, self._composer
        self.prompt.edited.connect(
            lambda text: editor.apply(
                self.tr("Prompt"), edits.with_prompt(editor.composition, text), "prompt"
            )
        )
        self.prompt.finished.connect(editor.end_gesture)
        self.model.chosen.connect(lambda name: self._set(model=name))
        self.seed.chosen.connect(lambda seed: self._set(seed=seed))
        self.dice.clicked.connect(composer.dice)
        self.steps.valueChanged.connect(lambda _: self._set(steps=self.steps.number))
        self.guidance.valueChanged.connect(lambda _: self._set(guidance=self.guidance.number))
        self.count.valueChanged.connect(lambda count: self._set(count=count))
        self.loras.changed.connect(lambda loras: self._set(loras=loras))
        self.button.clicked.connect(lambda: self.compose())
        self.live.toggled.connect(composer.set_live)
        composer.live_changed.connect(self.live.setChecked)
        known = settings()
        self.fidelity.show_value(float(str(known.value(DEFAULT_FIDELITY, 0.5))))
        self.fidelity.changed = lambda part: settings().setValue(DEFAULT_FIDELITY, part)
        self.new_seed.toggled.connect(self._set_new_seed)
        self.new_seed.setChecked(known.value(NEW_SEED, True, bool) is True)
        # Whoever goes back to a result, or rolls or types a seed, wants that very seed.
        composer.recalled.connect(lambda: self.new_seed.setChecked(False))
        self.dice.clicked.connect(lambda: self.new_seed.setChecked(False))
        self.seed.textEdited.connect(lambda _: self.new_seed.setChecked(False))
        self.seed.chosen.connect(lambda _: self.new_seed.setChecked(False))
        editor.changed.connect(self._on_change)
        link.contact_changed.connect(self._show_contact)

    def _set_new_seed(self, on: bool) -> None:
        settings().setValue(NEW_SEED, on)
        self.seed.show_random(on)

    def _set(self, **fields: Any) -> None:
        names = {
            "model": self.tr("Model"),
            "seed": self.tr("Seed"),
            "steps": self.tr("Steps"),
            "guidance": self.tr("Guidance"),
            "count": self.tr("Number of pictures"),
            "loras": self.tr("LoRAs"),
        }
        [name] = fields
        self._editor.apply(names[name], edits.with_sampling(self._editor.composition, **fields))

    # -- what the document says ------------------------------------------------------------------

    def _on_change(self, change: Change) -> None:
        if change.touches("prompt", "sampling"):
            self._show(change.after)

    def _show(self, composition: Composition) -> None:
        sampling = composition.sampling
        self.prompt.show_text(composition.prompt)
        self.seed.show_seed(sampling.seed)
        self.steps.show_number(sampling.steps)
        self.guidance.show_number(sampling.guidance)
        self.loras.show_loras(sampling.loras)
        with QSignalBlocker(self.count):
            self.count.setValue(sampling.count)
        if self.model.currentData() != sampling.model:
            self._show_models(sampling.model)

    def _show_contact(self, contact: ConnectionState) -> None:
        if contact.models:
            self._models = {model.name: model for model in contact.models}
        self._show_models(self._editor.composition.sampling.model)

    def _show_models(self, chosen: str) -> None:
        """List what the daemon has, and what the document names even if that is not there."""
        self.model.show_models(self._models.values(), chosen)
        info = self._models.get(chosen)
        auto = self.tr("Auto")
        steps, guidance = (info.steps, info.guidance) if info else (None, None)
        self.steps.setSpecialValueText(f"{auto} ({steps})" if steps else auto)
        self.guidance.setSpecialValueText(f"{auto} ({guidance:g})" if guidance else auto)
        if info is not None:
            self._editor.look(patch=info.patch)
