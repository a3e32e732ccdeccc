"""One training run of MobileNetV1 in PyTorch, the peer of bench/training.mjs; prints one JSON object.

    python3 bench/pytorch.py --net A --threads 2 --layout channels_last [--steps 10] [--data FOLDER] [--compile]

The same network as mobilenetV1({ padding: 'torch', dropout: 0 }), cross-entropy and Adam at 1e-5, batches of 128 in float32.
FOLDER holds what bench/initialState.mjs wrote: the initial weights, and pictures and labels in order; without it they are random.
"""

import argparse
import json
import pathlib
import resource
import statistics
import time

import torch
from torch import nn

# As in bench/nets.mjs.
NETS = {"A": (1.0, 2), "B": (1.0, 1), "C": (0.5, 1)}
# Filters and stride of each depthwise separable block: table 1 of arXiv 1704.04861.
BLOCKS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
BATCH_SIZE = 128
BATCHES = 3


def conv_norm_relu(name, channels, filters, kernel, stride=1, groups=1):
    padding = kernel // 2
    return [
        (name, nn.Conv2d(channels, filters, kernel, stride, padding, groups=groups, bias=False)),
        (f"{name}_bn", nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01)),
        (f"{name}_relu", nn.ReLU6(inplace=True)),
    ]


def mobilenet_v1(alpha, stem_stride, classes=10):
    """Layers carry the names that Keras and this library give them."""
    channels = int(32 * alpha)
    layers = conv_norm_relu("conv1", 3, channels, 3, stem_stride)
    for number, (filters, stride) in enumerate(BLOCKS, 1):
        filters = int(filters * alpha)
        layers += conv_norm_relu(f"conv_dw_{number}", channels, channels, 3, stride, groups=channels)
        layers += conv_norm_relu(f"conv_pw_{number}", channels, filters, 1)
        channels = filters
    layers += [("pool", nn.AdaptiveAvgPool2d(1)), ("flatten", nn.Flatten()), ("conv_preds", nn.Linear(channels, classes))]
    model = nn.Sequential()
    for name, layer in layers:
        model.add_module(name, layer)
    return model


def load_weights(model, folder):
    """Takes over weights.bin: flat float32, one after the other as weights.json lists them."""
    values = torch.from_file(str(folder / "weights.bin"), size=(folder / "weights.bin").stat().st_size // 4)
    parts = {
        "kernel": "weight", "depthwise_kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias",
        "moving_mean": "running_mean", "moving_variance": "running_var",
    }  # fmt: skip
    at = 0
    with torch.no_grad():
        for weight in json.loads((folder / "weights.json").read_text()):
            layer, part = weight["name"].split("/")
            shape = weight["shape"]
            count = torch.Size(shape).numel()
            source = values[at : at + count].reshape(shape)
            at += count
            target = getattr(model.get_submodule(layer), parts[part])
            if part == "kernel":  # HWIO to OIHW
                source = source.permute(3, 2, 0, 1)
            if part == "depthwise_kernel":  # HWC1 to C1HW
                source = source.permute(2, 3, 0, 1)
            target.copy_(source.reshape(target.shape))


def load_batches(folder, layout):
    """Pictures in [0, 1] and labels, one batch after the other."""
    if folder is None:
        pictures = torch.rand(BATCHES * BATCH_SIZE, 32, 32, 3)
        labels = torch.randint(10, (BATCHES * BATCH_SIZE,))
    else:
        images = torch.frombuffer(bytearray((folder / "images.bin").read_bytes()), dtype=torch.uint8)
        pictures = images.reshape(-1, 32, 32, 3).float() / 255
        labels = torch.frombuffer(bytearray((folder / "labels.bin").read_bytes()), dtype=torch.uint8).long()
    pictures = pictures.permute(0, 3, 1, 2).contiguous(memory_format=layout)
    return list(zip(pictures.split(BATCH_SIZE), labels.split(BATCH_SIZE)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--net", choices=NETS, default="A")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--layout", choices=["contiguous", "channels_last"], default="channels_last")
    parser.add_argument("--optimizer", choices=["fused", "foreach", "loop"], default="fused", help="of Adam")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--warm-up", type=int, default=3, help="steps before those that are timed")
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--compile", action="store_true", help="through torch.compile: needs a C++ compiler, no faster here")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    layout = torch.channels_last if options.layout == "channels_last" else torch.contiguous_format
    model = mobilenet_v1(*NETS[options.net]).train()
    if options.data:
        load_weights(model, options.data)
    model = model.to(memory_format=layout)
    batches = load_batches(options.data, layout)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=1e-5, eps=1e-7, fused=options.optimizer == "fused", foreach=options.optimizer == "foreach"
    )
    forward = torch.compile(model) if options.compile else model
    losses, milliseconds = [], []
    for step in range(options.warm_up + options.steps):
        pictures, labels = batches[step % len(batches)]
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(forward(pictures), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        milliseconds.append(1000 * (time.perf_counter() - start))
    timed = milliseconds[options.warm_up :]
    print(
        json.dumps(
            {
                "losses": losses,
                "milliseconds": timed,
                "imagesPerSecond": 1000 * BATCH_SIZE / statistics.median(timed),
                "peakMegabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "version": torch.__version__,
                "mkldnn": torch.backends.mkldnn.is_available(),
                "cpuCapability": torch.backends.cpu.get_cpu_capability(),
            }
        )
    )


main()
