"""Three subjects on a beach.

python examples/compose.py [OUT.png]
"""

import sys
from pathlib import Path

from standee import Canvas, Client, Composition, Layer, Rect, Sampling
from standee.document.receipt import embed

SUBJECTS = Path(__file__).parent / "subjects"


def main(out: Path) -> None:
    """Compose the picture and write it to `out`."""
    with Client.connect(start=True) as client:

        def stand(name: str, rect: Rect) -> Layer:
            digest = client.put_blob(SUBJECTS / f"{name}.png")
            return Layer(picture=digest, rect=rect, name=name, prompt=f"a {name}")

        composition = Composition(
            canvas=Canvas(256, 256),
            prompt="a beach at noon with a telescope, a robot and a mug",
            layers=(  # from back to front
                stand("telescope", Rect(16, 32, 128, 160)),
                stand("robot", Rect(112, 64, 128, 160)),
                stand("mug", Rect(64, 144, 96, 96)),
            ),
            sampling=Sampling(seed=7),
        )
        [result] = client.compose(composition, on_event=print_progress)
    out.write_bytes(embed(result.data, result.receipt))
    print(out)


def print_progress(event: object) -> None:
    """Show that something happens."""
    if step := getattr(event, "step", 0):
        print(f"step {step}", end="\r", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "compose.png"))
