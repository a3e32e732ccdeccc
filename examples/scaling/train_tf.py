"""Trains a model that `exportKeras` wrote further, on several machines, and saves it again as .keras.

Start it once on each machine, with the TF_CONFIG that names them all (docs/scaling.md); without TF_CONFIG it trains on
this machine alone. The data is a .npz with `images` [N,H,W,C] uint8 and `labels` [N]; pixels become what the model was
trained on by --low and --high.

    python train_tf.py model.keras data.npz trained.keras --epochs 1
"""

import argparse
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras
import numpy as np
import tensorflow as tf

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("model")
parser.add_argument("data")
parser.add_argument("out")
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--batch", type=int, default=64, help="of all workers together")
parser.add_argument("--rate", type=float, default=0.01)
parser.add_argument("--low", type=float, default=0.0, help="what byte 0 becomes")
parser.add_argument("--high", type=float, default=1.0, help="what byte 255 becomes")
options = parser.parse_args()

# The strategy comes first: it starts the collective operations that the workers talk through.
strategy = tf.distribute.MultiWorkerMirroredStrategy() if "TF_CONFIG" in os.environ else tf.distribute.get_strategy()
with strategy.scope():
    model = keras.models.load_model(options.model)
    optimizer = keras.optimizers.SGD(options.rate, momentum=0.9, nesterov=True)

file = np.load(options.data)
images = (options.low + file["images"].astype("float32") / 255 * (options.high - options.low)).astype("float32")
# tf.distribute gives every worker its share of each batch.
batches = (
    tf.data.Dataset.from_tensor_slices((images, file["labels"].astype("int32")))
    .shuffle(len(images), seed=1)
    .batch(options.batch, drop_remainder=True)
)
batches = strategy.experimental_distribute_dataset(batches)


@tf.function
def train(batch):
    def one_worker(pictures, labels):
        with tf.GradientTape() as tape:
            losses = keras.losses.sparse_categorical_crossentropy(labels, model(pictures, training=True))
            loss = tf.nn.compute_average_loss(losses, global_batch_size=options.batch)
        # apply() adds up the gradients of all workers.
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(one_worker, args=batch), axis=None)


task = json.loads(os.environ.get("TF_CONFIG", "{}")).get("task", {"index": 0})
for epoch in range(options.epochs):
    losses = [float(train(batch)) for batch in batches]
    if task["index"] == 0:
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)

# Batch norm's moving averages are each worker's own; the first worker's are as good as any.
if task["index"] == 0:
    model.save(options.out)
    # For compare.mjs.
    with open(f"{options.out}.json", "w") as file:
        json.dump(model(images[:16], training=False).numpy().tolist(), file)
