"""Golden files of Keras 2 and 3: one narrow MobileNet in all the ways in which they save it, and its logits.

Run from anywhere, with Keras 3.15, TensorFlow 2.21 and h5py, and Keras 2 as it lives on in tf_keras 2.21:

    pip install tensorflow-cpu h5py && pip install --no-deps tf_keras
    python test/golden/formats/from_keras_files.py

The files are gzipped: most of an HDF5 file of many small groups is zeros. Weights are multiples of 1/128, for the same
reason. Archives have the time in them, and differ from run to run.
"""

import gzip
import json
import os
import pathlib
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import h5py
import keras
import numpy as np
import tf_keras

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent))
from golden import hashes  # noqa: E402

ALPHA = 0.0625
CLASSES = 5
SIZES = (32, 33, 37)

random = np.random.RandomState(1)


def random_weight(weight):
    name, shape = weight.name.split("/")[-1].split(":")[0], weight.shape
    if name == "moving_variance":
        value = 0.5 + random.rand(*shape)
    elif name == "gamma":
        value = 0.75 + random.rand(*shape) / 2
    elif name == "depthwise_kernel":
        value = random.randn(*shape) * (2 / np.prod(shape[:2])) ** 0.5
    elif name == "kernel":
        value = random.randn(*shape) * (2 / np.prod(shape[:-1])) ** 0.5
    else:
        value = random.randn(*shape) / 4
    return (np.round(value * 128) / 128).astype("float32")


def network(library, size, **options):
    options = {"classes": CLASSES, "classifier_activation": None, **options}
    return library.applications.MobileNet(input_shape=(size, size, 3), alpha=ALPHA, weights=None, **options)


def picture(size):
    byte = hashes(f"formats/{size}", size * size * 3) >> np.uint64(24)
    return (byte.astype("float32") / 255 * 2 - 1).reshape(1, size, size, 3)


def save(name, write):
    """Keeps a file that `write` makes at the path that it is given."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        write(path)
        content = pathlib.Path(path).read_bytes()
    (here / "keras" / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))


def as_published(path):
    """The layout of mobilenet_1_0_224_tf_no_top.h5, which h5py 2 wrote: names are strings of a fixed length."""

    def fixed(name, node):
        for key, value in list(node.attrs.items()):
            if isinstance(value, np.ndarray) and value.size:
                node.attrs.create(key, np.array([text.encode() for text in value]))
            elif isinstance(value, str):
                node.attrs.create(key, np.bytes_(value))

    network_2.save_weights(path)
    with h5py.File(path, "a") as file:
        fixed("/", file)
        file.visititems(fixed)


def transfer(library):
    """What people build: bytes scaled, a network inside of the network, frozen at its begin, and a head of their own."""
    body = network(library, 32, include_top=False, pooling="avg")
    body.set_weights(values[: len(body.weights)])
    for layer in body.layers[:20]:
        layer.trainable = False
    pictures = library.Input((32, 32, 3), name="pictures")
    scaled = library.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(pictures)
    scores = library.layers.Dense(3, name="scores")(body(scaled))
    model = library.Model(pictures, scores, name="transfer")
    kernel, bias = model.get_layer("scores").weights
    kernel.assign(head[0])
    bias.assign(head[1])
    return model


network_2 = network(tf_keras, 33)
values = [random_weight(weight) for weight in network_2.weights]
network_2.set_weights(values)
networks = {size: network(keras, size) for size in SIZES}
for model in networks.values():
    model.set_weights(values)
head = [(np.round(random.randn(*shape) * 128) / 128).astype("float32") for shape in ((64, 3), (3,))]

save("keras2.h5", network_2.save)
save("keras2_published.h5", as_published)
save("keras2.keras", network_2.save)
save("keras2.weights.h5", network_2.save_weights)
save("keras3.h5", networks[33].save)
save("keras3.keras", networks[37].save)
save("keras3.weights.h5", networks[32].save_weights)
no_top = keras.Model(networks[32].inputs, networks[32].get_layer("conv_pw_13_relu").output)
save("keras3_no_top.weights.h5", no_top.save_weights)
transfers = {"keras2_transfer": transfer(tf_keras), "keras3_transfer": transfer(keras)}
for name, model in transfers.items():
    save(f"{name}.h5", model.save)
    save(f"{name}.keras", model.save)

byte = (hashes("formats/32", 32 * 32 * 3) >> np.uint64(24)).astype("float32").reshape(1, 32, 32, 3)
content = {
    "made_with": f"Keras {keras.__version__}, tf_keras {tf_keras.__version__}, h5py {h5py.__version__}",
    "logits": {size: model.predict(picture(size), verbose=0)[0].tolist() for size, model in networks.items()},
    "transfer": transfers["keras3_transfer"].predict(byte, verbose=0)[0].tolist(),
}
(here / "keras" / "logits.json").write_text(json.dumps(content, indent=2) + "\n")
