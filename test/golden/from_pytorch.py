"""Golden numbers of MobileNetV1 in PyTorch, padded its way: Adam, in float64."""

import torch
from torch import nn

import golden

BATCH_SIZE = 8
LEARNING_RATE = 1e-5
EPSILON = 1e-7
# Keras's 0.99 is the share that is kept, PyTorch's the share that comes in.
MOMENTUM = 0.01

torch.set_default_dtype(torch.float64)


def block(name, channels, filters, kernel, stride, groups=1):
    convolution = nn.Conv2d(channels, filters, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    norm = nn.BatchNorm2d(filters, eps=1e-3, momentum=MOMENTUM)
    return [(name, convolution), (f"{name}_bn", norm), (f"{name}_relu", nn.ReLU6())]


layers = block("conv1", golden.PICTURE[2], golden.STEM_FILTERS, 3, 1)
channels = golden.STEM_FILTERS
for number, (filters, stride) in enumerate(zip(golden.FILTERS, golden.STRIDES), 1):
    layers += block(f"conv_dw_{number}", channels, channels, 3, stride, groups=channels)
    layers += block(f"conv_pw_{number}", channels, filters, 1, 1)
    channels = filters
head = [("pool", nn.AdaptiveAvgPool2d(1)), ("conv_preds", nn.Conv2d(channels, golden.CLASSES, 1)), ("flat", nn.Flatten())]
modules = nn.ModuleDict(layers + head)

TORCH_NAMES = {
    "kernel": "weight",
    "depthwise_kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def torch_tensor(name):
    layer, kind = name.split("/")
    return getattr(modules[layer], TORCH_NAMES[kind])


def to_torch(name, values):
    """[KH,KW,C,F] to [F,C,KH,KW]; of a depthwise kernel [KH,KW,C,1] to [C,1,KH,KW]."""
    tensor = torch.from_numpy(values)
    if tensor.ndim < 4:
        return tensor
    return tensor.permute(2, 3, 0, 1) if "depthwise" in name else tensor.permute(3, 2, 0, 1)


def from_torch(name, tensor):
    if tensor.ndim < 4:
        return tensor
    return tensor.permute(2, 3, 0, 1) if "depthwise" in name else tensor.permute(2, 3, 1, 0)


def forward(x, counts):
    """Logits; notes how many values each batch norm averages over."""
    for name, module in modules.items():
        x = module(x)
        counts[f"{name}/moving_variance"] = x.numel() // x.shape[1]
    return x


def biased_variance(name, tensor, step, counts):
    """PyTorch averages the unbiased variance, n / (n - 1) times the biased one that tfjs and Keras average.

    The part that came in is brought back to the biased one; the part that is left of the initial value stays.
    """
    kept = (1 - MOMENTUM) ** step * torch.from_numpy(initial[name])
    n = counts[name]
    return kept + (tensor - kept) * (n - 1) / n


def weights_after(step, counts):
    tensors = {}
    for name in initial:
        tensor = from_torch(name, torch_tensor(name).detach())
        is_variance = name.endswith("/moving_variance")
        tensors[name] = (biased_variance(name, tensor, step, counts) if is_variance else tensor).numpy()
    return golden.summaries(tensors)


initial = golden.initial_weights()
with torch.no_grad():
    for name, values in initial.items():
        torch_tensor(name).copy_(to_torch(name, values))

trainable = [name for name in initial if "moving_" not in name]
optimizer = torch.optim.Adam([torch_tensor(name) for name in trainable], lr=LEARNING_RATE, eps=EPSILON)
losses = []
gradients = {}
weights = {}
for step in range(golden.STEPS):
    images, labels = golden.batch(step, BATCH_SIZE)
    counts = {}
    logits = forward(torch.from_numpy(images).permute(0, 3, 1, 2), counts)
    loss = nn.functional.cross_entropy(logits, torch.from_numpy(labels))
    optimizer.zero_grad()
    loss.backward()
    if step == 0:
        gradients = {name: from_torch(name, torch_tensor(name).grad).numpy().copy() for name in trainable}
    optimizer.step()
    losses.append(loss.item())
    weights[step + 1] = weights_after(step + 1, counts)

golden.write(
    "pytorch.json",
    {
        "versions": {"torch": torch.__version__},
        "options": {"alpha": 0.25, "stemStride": 1, "padding": "torch", "dropout": 0, "classifierActivation": "linear"},
        "batchSize": BATCH_SIZE,
        "optimizer": {"kind": "adam", "learningRate": LEARNING_RATE, "beta1": 0.9, "beta2": 0.999, "epsilon": EPSILON},
        "losses": losses,
        "gradients": golden.summaries(gradients),
        "weightsAfter1": weights[1],
        "weightsAfter10": weights[10],
    },
)
