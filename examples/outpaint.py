"""Make a picture wider: what was there stays as it was, to the pixel.

python examples/outpaint.py [OUT.png]
"""

import sys
from pathlib import Path

from PIL import Image, ImageChops

from standee import Canvas, Client, Composition, Rect, Sampling, Scene

SCENE = Path(__file__).parent / "scenes/beach.png"
LEFT = 64


def main(out: Path) -> None:
    """Compose the picture and write it to `out`."""
    picture = Image.open(SCENE).convert("RGB")
    with Client.connect(start=True) as client:
        composition = Composition(
            canvas=Canvas(width=picture.width + 2 * LEFT, height=picture.height),
            prompt="a beach",
            scene=Scene(
                picture=client.put_blob(SCENE),
                rect=Rect(LEFT, 0, picture.width, picture.height),
            ),
            sampling=Sampling(seed=7),
        )
        [result] = client.compose(composition)
    out.write_bytes(result.data)
    middle = (LEFT, 0, LEFT + picture.width, picture.height)
    changed = ImageChops.difference(picture, Image.open(out).convert("RGB").crop(middle))
    print(f"{out}: the middle is {'as it was' if changed.getbbox() is None else 'changed'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "outpaint.png"))
