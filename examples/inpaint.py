"""Put a subject into a hole of a picture: every pixel outside of the hole stays as it was.

python examples/inpaint.py [OUT.png]
"""

import io
import sys
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw

from standee import Canvas, Client, Composition, Layer, Rect, Sampling, Scene

HERE = Path(__file__).parent
HOLE = (160, 192, 416, 480)


def main(out: Path) -> None:
    """Compose the picture and write it to `out`."""
    picture = Image.open(HERE / "scenes/meadow.png").convert("RGB")
    kept = Image.new("L", picture.size, "white")
    ImageDraw.Draw(kept).rectangle(HOLE, fill="black")
    with Client.connect(start=True) as client:
        composition = Composition(
            canvas=Canvas(*picture.size),
            prompt="a meadow with a hedgehog",
            layers=(
                Layer(
                    picture=client.put_blob(HERE / "subjects/hedgehog.png"),
                    rect=Rect(192, 224, 192, 192),
                    prompt="a hedgehog",
                ),
            ),
            scene=Scene(
                picture=client.put_blob(HERE / "scenes/meadow.png"),
                kept=client.put_blob(png(kept)),
            ),
            sampling=Sampling(seed=7),
        )
        [result] = client.compose(composition)
    out.write_bytes(result.data)
    changed = ImageChops.difference(picture, Image.open(out).convert("RGB"))
    print(f"{out}: only {changed.getbbox()} has changed")


def png(picture: Image.Image) -> bytes:
    """Return the bytes of a picture's PNG."""
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "inpaint.png"))
