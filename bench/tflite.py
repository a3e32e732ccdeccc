"""Makes the .tflite files that LiteRT.js runs, from the folded weights that bench/inferenceState.mjs wrote.

    python3 bench/tflite.py FOLDER BATCH_SIZE...

FOLDER holds folded.json, folded.bin and pictures.bin, and gets float32-BATCH_SIZE.tflite and int8-BATCH_SIZE.tflite, whose
inputs and outputs are float32. LiteRT.js cannot change the batch size of a file.
"""
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

folder, *batch_sizes = sys.argv[1:]
with open(f"{folder}/folded.json") as file:
    description = json.load(file)
size = description["size"]
values = np.fromfile(f"{folder}/folded.bin", np.float32)
pictures = np.fromfile(f"{folder}/pictures.bin", np.uint8).reshape(-1, size, size, 3) / np.float32(127.5) - 1

position = 0


def take(*shape):
    """The next values of folded.bin."""
    global position
    start, position = position, position + int(np.prod(shape))
    return tf.constant(values[start:position].reshape(shape))


weights = [(take(*layer["shape"]), take(layer["filters"])) for layer in description["layers"]]


def network(x):
    for layer, (kernel, bias) in zip(description["layers"], weights):
        if layer is description["layers"][-1]:
            x = tf.reduce_mean(x, [1, 2], keepdims=True)
        strides = [1, layer["stride"], layer["stride"], 1]
        operation = tf.nn.conv2d if layer["kind"] == "conv" else tf.nn.depthwise_conv2d
        x = tf.nn.bias_add(operation(x, kernel, strides, "SAME"), bias)
        if layer["relu6"]:
            x = tf.nn.relu6(x)
    return tf.squeeze(x, [1, 2])


def convert(batch_size, int8):
    function = tf.function(network).get_concrete_function(tf.TensorSpec([batch_size, size, size, 3]))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        repeated = np.resize(pictures, (max(len(pictures), batch_size), size, size, 3))
        converter.representative_dataset = lambda: (
            [repeated[i : i + batch_size]] for i in range(0, len(repeated) - batch_size + 1, batch_size)
        )
    return converter.convert()


for batch_size in map(int, batch_sizes):
    for name, int8 in ("float32", False), ("int8", True):
        with open(f"{folder}/{name}-{batch_size}.tflite", "wb") as file:
            file.write(convert(batch_size, int8))
