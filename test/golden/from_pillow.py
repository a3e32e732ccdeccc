"""Golden pictures of Pillow's bilinear and bicubic resize, from cropped and whole pictures of the generator's bytes.

Pillow 13 begins with the vertical axis where that shrinks much more, which changes the bytes of the case "mixed".
"""

import base64
import json
import pathlib

import numpy as np
import PIL
from PIL import Image

import golden

# Name, width and height, what the shorter side is resized to, the size of the square that is cut out of the centre then.
CROPPED_LAST = [
    ("last/wide", (53, 37), 18, 16),
    ("last/tall", (31, 64), 21, 16),
    ("last/square", (24, 24), 12, 11),
    ("last/same", (20, 16), 16, 13),
    ("last/enlarge", (9, 7), 15, 12),
]

FILTERS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}

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


def resized(image, window, size, interpolation):
    left, top, width, height = window
    return np.asarray(image.crop((left, top, left + width, top + height)).resize(size, FILTERS[interpolation]))


def resized_floats(data, window, size, interpolation):
    """One axis after the other, so that what a bicubic filter makes of edges is kept within 0 to 255, as with bytes."""
    narrowed = resized(Image.fromarray(data), window, (size[0], window[3]), interpolation).clip(0, 255)
    whole = (0, 0, size[0], window[3])
    return resized(Image.fromarray(narrowed), whole, size, interpolation).clip(0, 255)


def cropped_last(name, source, shorter, size):
    """torchvision's Resize and CenterCrop: the longer side is rounded down, halves of offsets go to the even number."""
    width, height = source
    data = (golden.hashes(name, width * height * 3) >> np.uint64(24)).astype(np.uint8).reshape(height, width, 3)
    whole = tuple(int(shorter * side / min(source)) for side in source)
    left, top = (int(round((side - size) / 2.0)) for side in whole)
    case = {"name": name, "source": source, "shorter": shorter, "size": size}
    for interpolation, pillow in FILTERS.items():
        picture = Image.fromarray(data).resize(whole, pillow).crop((left, top, left + size, top + size))
        case[interpolation] = encode(np.asarray(picture))
    return case


def encode(values):
    return base64.b64encode(values.tobytes()).decode()


def golden_case(name, channels, source, window, size):
    width, height = source
    data = (golden.hashes(name, width * height * channels) >> np.uint64(24)).astype(np.uint8)
    data = data.reshape((height, width) if channels == 1 else (height, width, channels))
    case = {"name": name, "channels": channels, "source": source, "window": window, "size": size}
    for interpolation in FILTERS:
        golden_pixels = {"bytes": encode(resized(Image.fromarray(data), window, size, interpolation))}
        if channels == 1:
            floats = resized_floats(data.astype(np.float32), window, size, interpolation)
            golden_pixels["floats"] = encode(floats)
        case[interpolation] = golden_pixels
    return case


path = pathlib.Path(__file__).with_name("pillow.json")
content = {
    "version": PIL.__version__,
    "cases": [golden_case(*case) for case in CASES],
    "croppedLast": [cropped_last(*case) for case in CROPPED_LAST],
}
path.write_text(json.dumps(content, indent=2) + "\n")
