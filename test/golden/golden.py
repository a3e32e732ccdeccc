"""What both golden scripts share: the net's tensors, their values from a generator, and the summary that is kept.

golden.ts has the same generator, bit by bit, so that no weights need to be stored.
"""

import json
import math
import pathlib

import numpy as np

CLASSES = 10
PICTURE = (32, 32, 3)
STEPS = 10
# Of each tensor: its first value, its last, and three between.
SAMPLES = 5
# Pointwise filters of the 13 blocks at alpha 0.25.
FILTERS = [16, 32, 32, 64, 64, 128, 128, 128, 128, 128, 128, 256, 256]
STRIDES = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]
STEM_FILTERS = 8


def tensor_shapes():
    """Every weight's name, as tfjs has it, and its shape `[KH,KW,C,F]`, `[KH,KW,C,1]` or `[C]`."""
    shapes = {}

    def convolution(name, kernel, shape, channels):
        shapes[f"{name}/{kernel}"] = shape
        for parameter in ("gamma", "beta", "moving_mean", "moving_variance"):
            shapes[f"{name}_bn/{parameter}"] = (channels,)

    convolution("conv1", "kernel", (3, 3, PICTURE[2], STEM_FILTERS), STEM_FILTERS)
    channels = STEM_FILTERS
    for block, filters in enumerate(FILTERS, 1):
        convolution(f"conv_dw_{block}", "depthwise_kernel", (3, 3, channels, 1), channels)
        convolution(f"conv_pw_{block}", "kernel", (1, 1, channels, filters), filters)
        channels = filters
    shapes["conv_preds/kernel"] = (1, 1, channels, CLASSES)
    shapes["conv_preds/bias"] = (CLASSES,)
    return shapes


def hashes(name, count):
    """`count` 32-bit integers: MurmurHash3's finaliser over FNV-1a of the name plus the place."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    h = (seed + np.arange(count, dtype=np.uint64)) & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = ((h ^ (h >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return h ^ (h >> np.uint64(16))


def uniform(name, shape):
    """Uniform in [-1, 1), 24 bits of it, which float32 holds exactly."""
    return ((hashes(name, math.prod(shape)) >> np.uint64(8)) / 2.0**23 - 1).reshape(shape)


def initial_weight(name, shape):
    """A float32 value held in float64."""
    values = uniform(name, shape)
    kind = name.split("/")[1]
    if kind in ("gamma", "moving_variance"):
        values = 1 + values / 2
    elif "kernel" in kind:
        fan_in = shape[0] * shape[1] * (1 if kind == "depthwise_kernel" else shape[2])
        values = values * math.sqrt(6 / fan_in)
    else:
        values = values / 4
    return values.astype(np.float32).astype(np.float64)


def initial_weights():
    return {name: initial_weight(name, shape) for name, shape in tensor_shapes().items()}


def batch(step, size):
    """Pictures `[N,H,W,C]`, bytes mapped to [-1, 1] and rounded to float32, and labels `[N]` of a step, from 0."""
    images = hashes(f"images/{step}", size * math.prod(PICTURE)) >> np.uint64(24)
    images = (-1 + images / 255 * 2).astype(np.float32).astype(np.float64).reshape(size, *PICTURE)
    labels = (hashes(f"labels/{step}", size) % np.uint64(CLASSES)).astype(np.int64)
    return images, labels


def summary(values):
    """Norm and samples of a tensor, in float64."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    places = [i * (flat.size - 1) // (SAMPLES - 1) for i in range(SAMPLES)]
    return {"norm": float(np.linalg.norm(flat)), "samples": [float(flat[place]) for place in places]}


def summaries(tensors):
    return {name: summary(values) for name, values in tensors.items()}


def write(name, content):
    path = pathlib.Path(__file__).with_name(name)
    path.write_text(json.dumps(content, indent=2) + "\n")
