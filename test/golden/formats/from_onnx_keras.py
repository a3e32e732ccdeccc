"""Makes a small MobileNet as an ONNX file with Keras and tf2onnx, and what Keras computes.

    pip install tensorflow-cpu tf2onnx
    python test/golden/formats/from_onnx_keras.py

Writes into test/golden/formats/onnx.
"""

import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
import tf2onnx

from onnx_net import BLOCKS, CLASSES, FOLDER, SIZE, pictures


def keras_net() -> keras.Model:
    """Pads as current Keras does, and maps bytes to [-1, 1] itself."""

    def conv(x, layer):
        for one in (layer, keras.layers.BatchNormalization(), keras.layers.ReLU(6.0)):
            x = one(x)
        return x

    source = keras.Input((*SIZE, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1)(source)
    x = conv(x, keras.layers.Conv2D(8, 3, 2, padding="same", use_bias=False))
    for filters, stride in BLOCKS:
        if stride > 1:
            x = keras.layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
        padding = "same" if stride == 1 else "valid"
        x = conv(x, keras.layers.DepthwiseConv2D(3, stride, padding=padding, use_bias=False))
        x = conv(x, keras.layers.Conv2D(filters, 1, use_bias=False))
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(CLASSES)(x)
    net = keras.Model(source, x)
    rng = np.random.default_rng(1)
    for layer in net.layers:
        values = [0.5 + rng.random(weight.shape) for weight in layer.get_weights()]
        if isinstance(layer, keras.layers.BatchNormalization):
            values[1], values[2] = (rng.normal(0, 0.2, values[1].shape) for _ in range(2))
        elif values:
            values = [rng.normal(0, (2 / np.prod(value.shape[:-1])) ** 0.5, value.shape) for value in values]
        layer.set_weights(values)
    return net


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    net = keras_net()
    spec = [tf.TensorSpec([None, *SIZE, 3], tf.float32, name="x")]
    call = tf.function(lambda x: net(x, training=False), input_signature=spec)
    tf2onnx.convert.from_function(call, input_signature=spec, opset=17, output_path=str(FOLDER / "tf2onnx.onnx"))
    logits = net((pictures(2) + 1) * 127.5, training=False).numpy()
    (FOLDER / "keras.json").write_text(json.dumps(logits.ravel().tolist()))


main()
