"""Golden numbers of Keras's own MobileNet: SGD, in float64, on the TensorFlow backend.

(A file named keras.py would be what `import keras` finds.)
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf

import golden

BATCH_SIZE = 8
LEARNING_RATE = 1e-5

keras.config.set_floatx("float64")
model = keras.applications.MobileNet(
    input_shape=golden.PICTURE, alpha=0.25, dropout=0.0, weights=None, classes=golden.CLASSES
)


def golden_name(weight):
    """Keras 3 names a depthwise kernel as any other."""
    return weight.path.replace("/kernel", "/depthwise_kernel") if "conv_dw" in weight.path else weight.path


variables = {golden_name(weight): weight for weight in model.weights}
initial = golden.initial_weights()
assert variables.keys() == initial.keys()
for name, values in initial.items():
    variables[name].assign(values)

optimizer = keras.optimizers.SGD(learning_rate=LEARNING_RATE)
loss_function = keras.losses.SparseCategoricalCrossentropy()
losses = []
gradients = {}
weights = {}
for step in range(golden.STEPS):
    images, labels = golden.batch(step, BATCH_SIZE)
    with tf.GradientTape() as tape:
        loss = loss_function(labels, model(images, training=True))
    step_gradients = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(zip(step_gradients, model.trainable_weights))
    losses.append(float(loss))
    if step == 0:
        gradients = {golden_name(w): g.numpy() for w, g in zip(model.trainable_weights, step_gradients)}
    weights[step + 1] = golden.summaries({name: w.numpy() for name, w in variables.items()})

golden.write(
    "keras.json",
    {
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__},
        "options": {"alpha": 0.25, "stemStride": 2, "padding": "keras", "dropout": 0},
        "batchSize": BATCH_SIZE,
        "optimizer": {"kind": "sgd", "learningRate": LEARNING_RATE},
        "losses": losses,
        "gradients": golden.summaries(gradients),
        "weightsAfter1": weights[1],
        "weightsAfter10": weights[10],
    },
)
