"""The small MobileNet of from_onnx_torch.py and from_onnx_keras.py, and its pictures."""

from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "onnx"
SIZE = (33, 37)
# Filters and strides of the blocks behind the stem, which has 8 filters and stride 2.
BLOCKS = ((12, 1), (16, 2), (24, 2))
CLASSES = 7


def pictures(count: int) -> np.ndarray:
    """[-1, 1]: value i is (7919 i mod 256) / 127.5 - 1, in the order [N,H,W,C]."""
    shape = (count, *SIZE, 3)
    values = (7919 * np.arange(np.prod(shape), dtype=np.int64)) % 256
    return (values / 127.5 - 1).astype(np.float32).reshape(shape)
