"""Paper layout: panels are drawn on it in place of Blender's, and it writes down what they say."""


class Paper:
    """A layout that writes down what is drawn, in the place of Blender's."""

    def __init__(self, words=None):
        self.words = words if words is not None else []

    def row(self, **more):
        return Paper(self.words)

    column = box = split = row

    def progress(self, text="", **more):
        self.words.append(text)

    def icon(self, image):
        return 0

    def prop(self, *given, **more):
        pass

    template_list = template_icon = prop

    def label(self, text="", **more):
        self.words.append(text)

    @property
    def said(self):
        """All that was drawn: words and operators, on one line."""
        return " | ".join(self.words)

    def operator(self, name, text="", **more):
        self.words.append(name)
        return Paper()
