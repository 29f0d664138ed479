"""The sample document of demo, editor and add-on: `python scripts/make_sample.py`."""

from pathlib import Path

from standee import Canvas, Composition, Document, Layer, Rect

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "protocol/standee/samples/three_friends.standee"
FRIENDS = {  # back to front
    "dragon": Rect(10, 84, 116, 124),
    "teddy_bear": Rect(84, 62, 124, 134),
    "popcorn": Rect(158, 128, 86, 104),
}


def main() -> None:
    """Write the sample."""
    document = Document()
    layers = []
    for name, rect in FRIENDS.items():
        picture = document.add_picture(ROOT / f"examples/subjects/{name}.png")
        layers.append(Layer(id=name, name=name.replace("_", " "), picture=picture, rect=rect))
    document.composition = Composition(
        canvas=Canvas(256, 256), prompt="an empty beach at noon", layers=tuple(layers)
    )
    SAMPLE.parent.mkdir(exist_ok=True)
    document.save(SAMPLE)


if __name__ == "__main__":
    main()
