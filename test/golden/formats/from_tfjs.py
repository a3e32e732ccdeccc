"""Golden tfjs models, as converters write them: layers models of Keras 3 and a graph model of TensorFlow, with logits.

Run from anywhere, with Keras 3.15 and TensorFlow 2.21, and then `npm run format`:

    python test/golden/formats/from_tfjs.py

The topologies are what Keras and TensorFlow write themselves; manifests are put together here as tensorflowjs 4.22 does,
which cannot be installed beside them. `keras3` has dtype policies, `batch_shape`, inbound nodes that are objects and
`keepdims`; `graph` is the same network after TensorFlow's own optimizer, which folds what it can.
"""

import json
import os
import pathlib
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
from tensorflow.python.grappler import tf_optimizer
from tensorflow.python.training.saver import export_meta_graph

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent))
from golden import hashes  # noqa: E402

ALPHA = 0.0625
CLASSES = 5
SIZES = (32, 33, 37)


def network(size):
    return keras.applications.MobileNet(
        input_shape=(size, size, 3), alpha=ALPHA, classes=CLASSES, weights=None, classifier_activation=None
    )


def random_weights(model):
    random = np.random.RandomState(1)
    values = []
    for weight in model.weights:
        normal, uniform = random.randn(*weight.shape), random.rand(*weight.shape)
        if weight.name == "moving_variance":
            value = 0.5 + uniform
        elif weight.name == "gamma":
            value = 0.75 + uniform / 2
        elif weight.name == "kernel":
            is_depthwise = weight.path.startswith("conv_dw")
            value = normal * (2 / np.prod(weight.shape[:2] if is_depthwise else weight.shape[:3])) ** 0.5
        else:
            value = normal / 4
        values.append(value.astype("float32"))
    return values


def picture(size):
    byte = hashes(f"formats/{size}", size * size * 3) >> np.uint64(24)
    return (byte.astype("float32") / 255 * 2 - 1).reshape(1, size, size, 3)


def write(name, header, weights):
    """A `model.json`, under another name so that nobody formats it, and its one shard."""
    manifest = [{"name": key, "shape": list(value.shape), "dtype": str(value.dtype)} for key, value in weights]
    model = {**header, "weightsManifest": [{"paths": [f"{name}.bin"], "weights": manifest}]}
    (here / "tfjs" / f"{name}.model").write_text(json.dumps(model, separators=(",", ":")))
    (here / "tfjs" / f"{name}.bin").write_bytes(b"".join(value.tobytes() for _, value in weights))


def write_layers(name, model):
    topology = {"keras_version": keras.__version__, "backend": "tensorflow", "model_config": json.loads(model.to_json())}
    header = {"format": "layers-model", "generatedBy": f"keras v{keras.__version__}", "modelTopology": topology}
    write(name, header, [(weight.path, weight.numpy()) for weight in model.weights])


def write_graph(name, graph):
    weights = []
    for node in graph.node:
        if node.op == "Const":
            weights.append((node.name, tf.make_ndarray(node.attr["value"].tensor)))
            del node.attr["value"]
        node.attr.pop("_input_shapes", None)
    topology = MessageToDict(graph)
    topology.pop("library", None)
    write(name, {"format": "graph-model", "generatedBy": tf.__version__, "modelTopology": topology}, weights)


def frozen_graph(model, size):
    signature = tf.TensorSpec([None, size, size, 3], tf.float32)
    function = tf.function(lambda x: model(x, training=False)).get_concrete_function(signature)
    return convert_variables_to_constants_v2(function)


def optimized(frozen):
    graph = frozen.graph
    meta = export_meta_graph(graph_def=graph.as_graph_def(), graph=graph)
    collection = meta_graph_pb2.CollectionDef()
    collection.node_list.value.extend(tensor.name for tensor in [*frozen.inputs, *frozen.outputs])
    meta.collection_def["train_op"].CopyFrom(collection)
    config = config_pb2.ConfigProto()
    passes = ["pruning", "constfold", "arithmetic", "dependency", "remap", "pruning"]
    config.graph_options.rewrite_options.optimizers.extend(passes)
    config.graph_options.rewrite_options.meta_optimizer_iterations = 1
    return tf_optimizer.OptimizeGraph(config, meta)


models = {size: network(size) for size in SIZES}
values = random_weights(models[32])
for model in models.values():
    model.set_weights(values)
write_layers("keras3", models[32])
write_graph("graph", optimized(frozen_graph(models[33], 33)))

pooled = keras.Sequential(
    [
        keras.layers.Input((8, 8, 3)),
        keras.Sequential([keras.layers.Input((8, 8, 3)), keras.layers.DepthwiseConv2D(3, name="inner")], name="nested"),
        keras.layers.GlobalAveragePooling2D(keepdims=True),
        keras.layers.Conv2D(4, 1, activation="relu6", name="pointwise"),
        keras.layers.Flatten(),
        keras.layers.Dense(2, name="scores"),
    ]
)
write_layers("sequential", pooled)

logits = {size: model.predict(picture(size), verbose=0)[0].tolist() for size, model in models.items()}
sequential = pooled.predict(picture(8), verbose=0)[0].tolist()
made_with = f"Keras {keras.__version__}, TensorFlow {tf.__version__}"
text = json.dumps({"made_with": made_with, "logits": logits, "sequential": sequential}, indent=2)
(here / "tfjs" / "logits.json").write_text(text + "\n")
