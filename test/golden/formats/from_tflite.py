"""TFLite files of small MobileNetV1s, and what LiteRT's interpreter makes of pictures with them.

    pip install tensorflow-cpu ai-edge-litert   # the versions in golden.json
    python test/golden/formats/from_tflite.py

Weights and pictures come from the generator of golden.py, moving averages from the pictures. `float32`, `float16`, `dynamic`
and `int8` are Keras's own network (padding 'keras', a softmax at the end), through TensorFlow's converter: weights of float32,
of float16, of int8 for layers of float32, and int8 throughout. `uint8` is laid out as TF-slim's (padding 'same', pooling by a
window, a background class before the ten), and quantised as in 2018: fake quantisation, one scale and zero point per tensor.
"""

import itertools
import json
import os
import pathlib
import sys
from importlib import metadata

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

import golden

ALPHA = 0.0625
CLASSES = 10
PICTURES = 4
STRIDES = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]
FOLDER = pathlib.Path(__file__).with_name("tflite")


def pictures(size, count=PICTURES):
    """`[N,H,W,3]`, bytes; each picture is half as bright as the one before it, up to the fourth."""
    shape = (count, size, size, 3)
    noise = (golden.hashes(f"tflite/{size}", np.prod(shape)) >> np.uint64(24)).astype(np.uint8).reshape(shape)
    return noise >> (np.arange(count) % 4).astype(np.uint8)[:, None, None, None]


def normalized(size, count=PICTURES):
    return pictures(size, count) / np.float32(127.5) - np.float32(1)


def keras_model(size):
    network = keras.applications.MobileNet(
        input_shape=(size, size, 3), alpha=ALPHA, weights=None, classes=CLASSES, dropout=0.0
    )
    for weight in network.weights:
        name = weight.path.replace("/kernel", "/depthwise_kernel") if "conv_dw" in weight.path else weight.path
        weight.assign(golden.initial_weight(name, weight.shape))
    # With moving averages of their own hardly anything of a picture would be left at the end; with exact ones so much
    # would be that rounding to int8 grew from layer to layer.
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(normalized(size, 64), training=True)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_variance.assign(layer.moving_variance + 0.15)
    return network


def rescaled(network, size):
    return keras.Sequential([keras.Input((size, size, 3)), keras.layers.Rescaling(1 / 127.5, offset=-1), network])


def folded(network):
    """Kernel and bias of every convolution."""
    convolutions = [layer for layer in network.layers if hasattr(layer, "kernel")]
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for convolution, norm in itertools.zip_longest(convolutions, norms):
        kernel = convolution.kernel.numpy()
        if norm is None:
            yield kernel, convolution.bias.numpy()
            continue
        scale = norm.gamma.numpy() / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
        is_depthwise = isinstance(convolution, keras.layers.DepthwiseConv2D)
        bias = norm.beta.numpy() - norm.moving_mean.numpy() * scale
        yield kernel * (scale[:, None] if is_depthwise else scale), bias


def converter_of(model, size, batch_size):
    function = tf.function(lambda x: model(x, training=False))
    signature = tf.TensorSpec([batch_size, size, size, 3], tf.float32)
    frozen = convert_variables_to_constants_v2(function.get_concrete_function(signature))
    return tf.lite.TFLiteConverter.from_concrete_functions([frozen])


def float32(size):
    # The number of pictures is left open, which gives a SHAPE and a PACK before the RESHAPE.
    return converter_of(keras_model(size), size, None).convert()


def float16(size):
    converter = converter_of(rescaled(keras_model(size), size), size, 1)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def dynamic(size):
    converter = converter_of(keras_model(size), size, 1)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter.convert()


def int8(size):
    converter = converter_of(keras_model(size), size, 1)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([picture[None]] for picture in normalized(size))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter.convert()


def uint8(size):
    def quantized(x, low, high):
        return tf.quantization.fake_quant_with_min_max_args(x, float(low), float(high), num_bits=8)

    def convolution(x, kernel, bias, strides):
        operation = tf.nn.depthwise_conv2d if kernel.shape[2] > 1 and kernel.shape[3] == 1 else tf.nn.conv2d
        kernel = quantized(tf.constant(kernel), kernel.min(), kernel.max())
        return operation(x, kernel, [1, strides, strides, 1], "SAME") + tf.constant(bias)

    *layers, (kernel, bias) = folded(keras_model(size))
    background = np.zeros_like(kernel[..., :1]), np.zeros_like(bias[:1])
    with tf.Graph().as_default():
        picture = tf.compat.v1.placeholder(tf.float32, [1, size, size, 3], name="input")
        x = quantized(picture, -1, 127 / 128)
        for i, layer in enumerate(layers):
            # The stem, and every other layer, may have strides; the others are pointwise.
            strides = 2 if i == 0 else STRIDES[i // 2] if i % 2 == 1 else 1
            x = quantized(tf.nn.relu6(convolution(x, *layer, strides)), 0, 6)
        x = quantized(tf.nn.avg_pool2d(x, x.shape[1], 1, "VALID"), 0, 6)
        head = [np.concatenate(pair, axis=-1) for pair in zip(background, (kernel, bias))]
        x = quantized(convolution(x, *head, 1), -6, 6)
        scores = tf.nn.softmax(tf.squeeze(x, [1, 2]))
        with tf.compat.v1.Session() as session:
            converter = tf.compat.v1.lite.TFLiteConverter.from_session(session, [picture], [scores])
            converter.inference_type = tf.uint8
            converter.quantized_input_stats = {"input": (128, 128)}
            return converter.convert()


def run(file, size):
    """Logits of the pictures, of a quantised file as float32, and what its weights stand for."""
    interpreter = Interpreter(
        model_content=file,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    details = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    operators = interpreter._get_ops_details()
    logits = next(details[op["inputs"][0]] for op in operators if op["op_name"] == "SOFTMAX")
    source = interpreter.get_input_details()[0]

    def dequantized(tensor):
        values = interpreter.get_tensor(tensor["index"]).astype(np.float64)
        parameters = tensor["quantization_parameters"]
        if len(parameters["scales"]) == 0:
            return values
        along = [1] * values.ndim
        along[parameters["quantized_dimension"] if len(parameters["scales"]) > 1 else 0] = -1
        zero_points = parameters["zero_points"].reshape(along)
        return (values - zero_points) * parameters["scales"].astype(np.float64).reshape(along)

    results = []
    for bytes_, floats in zip(pictures(size), normalized(size)):
        if source["dtype"] == np.uint8:
            value = bytes_
        elif source["dtype"] == np.int8:
            scale, zero_point = source["quantization"]
            value = np.clip(np.round(floats / scale) + zero_point, -128, 127).astype(np.int8)
        else:
            value = bytes_.astype(np.float32) if b"rescaling" in file else floats
        interpreter.set_tensor(source["index"], value[None])
        interpreter.invoke()
        results.append([float(value) for value in dequantized(logits).ravel()])

    weights = []
    for op in operators:
        if op["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            kernel, bias = (dequantized(details[index]) for index in op["inputs"][1:])
            # [F,KH,KW,C] becomes [KH,KW,C,F], and [1,KH,KW,C] becomes [KH,KW,C,1].
            kernel = np.transpose(kernel, (1, 2, 3, 0))
            weights.append({"kernel": golden.summary(kernel), "bias": golden.summary(bias)})
    return {"size": size, "logits": results, "weights": weights}


cases = {}
for make, size in ((float32, 33), (float16, 32), (dynamic, 32), (int8, 33), (uint8, 32)):
    name = make.__name__
    file = make(size)
    (FOLDER / f"{name}.tflite").write_bytes(file)
    cases[name] = run(file, size)
    print(name, len(file), *np.round(cases[name]["logits"], 2)[:, :6], sep="\n")

versions = {"tensorflow": tf.__version__, "keras": keras.__version__, "ai-edge-litert": metadata.version("ai-edge-litert")}
content = {"versions": versions, "alpha": ALPHA, "classes": CLASSES, "cases": cases}
(FOLDER / "golden.json").write_text(json.dumps(content) + "\n")
