"""Document model as pure Python: the composition, the selection and the view state.

No Qt here. The widgets show this model and call its functions; they keep no state of their own.

    document = EditorDocument()
    document.changed.connect(lambda change: print(change.after.prompt))
    document.apply("Move", edits.moved(document.composition, document.selection, 16, 0))
"""

from . import edits as edits
from .document import Change as Change
from .document import EditorDocument as EditorDocument
from .document import ViewState as ViewState
from .history import History as History
from .history import Step as Step
from .signal import Signal as Signal

__all__ = ["Change", "EditorDocument", "History", "Signal", "Step", "ViewState", "edits"]
