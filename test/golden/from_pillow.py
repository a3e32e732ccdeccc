"""Golden pictures of Pillow's bilinear resize, from cropped and whole pictures of the generator's bytes.

Pillow 13 begins with the vertical axis where that shrinks much more, which changes the bytes of the case "mixed".
"""

import base64
import json
import pathlib

import numpy as np
import PIL
from PIL import Image

import golden

# Name, channels, width and height, the window (left, top, width, height), the new width and height.
CASES = [
    ("shrink/crop", 3, (53, 37), (8, 0, 37, 37), (16, 16)),
    ("shrink/centre", 3, (64, 48), (11, 3, 42, 42), (9, 9)),
    ("shrink/stretch", 3, (61, 43), (0, 0, 61, 43), (13, 11)),
    ("halve", 3, (24, 24), (0, 0, 24, 24), (12, 12)),
    ("enlarge", 3, (7, 5), (0, 0, 7, 5), (17, 13)),
    ("mixed", 1, (9, 80), (0, 0, 9, 80), (21, 12)),
    ("same", 1, (12, 10), (1, 0, 10, 10), (10, 10)),
    ("one pixel", 3, (1, 1), (0, 0, 1, 1), (3, 2)),
]


def resized(image, window, size):
    left, top, width, height = window
    return np.asarray(image.crop((left, top, left + width, top + height)).resize(size, Image.BILINEAR))


def encode(values):
    return base64.b64encode(values.tobytes()).decode()


def golden_case(name, channels, source, window, size):
    width, height = source
    data = (golden.hashes(name, width * height * channels) >> np.uint64(24)).astype(np.uint8)
    data = data.reshape((height, width) if channels == 1 else (height, width, channels))
    case = {"name": name, "channels": channels, "source": source, "window": window, "size": size}
    case["bytes"] = encode(resized(Image.fromarray(data), window, size))
    if channels == 1:
        case["floats"] = encode(resized(Image.fromarray(data.astype(np.float32)), window, size))
    return case


path = pathlib.Path(__file__).with_name("pillow.json")
content = {"version": PIL.__version__, "cases": [golden_case(*case) for case in CASES]}
path.write_text(json.dumps(content, indent=2) + "\n")
