"""Trains a model that `exportSafetensors` wrote further in PyTorch, on several machines, and saves it again.

Start it with torchrun, on each machine (docs/scaling.md). The data is a .npz with `images` [N,H,W,C] uint8 and `labels` [N].
The network is timm's `mobilenetv1_100` with tfjs's epsilon and padding (the file's metadata says the call, under `timm`).

    torchrun --nproc_per_node 2 train_torch.py model.safetensors data.npz trained.safetensors --epochs 1
"""

import argparse
import json

import numpy as np
import timm
import torch
import torch.distributed as dist
from safetensors import safe_open
from safetensors.torch import save_file

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

dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
rank, workers = dist.get_rank(), dist.get_world_size()
device = torch.device("cuda", rank % torch.cuda.device_count()) if torch.cuda.is_available() else torch.device("cpu")
torch.manual_seed(1)

with safe_open(options.model, "pt") as file:
    metadata = file.metadata()
    weights = {name: file.get_tensor(name) for name in file.keys()}
classes = weights["classifier.weight"].shape[0]
model = timm.create_model("mobilenetv1_100", num_classes=classes, bn_eps=0.001, pad_type="same")
model.load_state_dict(weights)
model = torch.nn.parallel.DistributedDataParallel(model.to(device).train())
optimizer = torch.optim.SGD(model.parameters(), options.rate, momentum=0.9, nesterov=True)

data = np.load(options.data)
images = torch.from_numpy(data["images"]).permute(0, 3, 1, 2).contiguous()
labels = torch.from_numpy(data["labels"].astype("int64"))
share = options.batch // workers
steps = len(images) // options.batch
for epoch in range(options.epochs):
    # The same order everywhere; each worker takes its share of every batch.
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(epoch))
    total = 0.0
    for step in range(steps):
        at = order[step * options.batch + rank * share :][:share]
        pixels = (options.low + images[at].to(device).float() / 255 * (options.high - options.low))
        loss = torch.nn.functional.cross_entropy(model(pixels), labels[at].to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    if rank == 0:
        print(f"epoch {epoch + 1}: loss {total / steps:.4f}", flush=True)

if rank == 0:
    state = {name: value.cpu().contiguous() for name, value in model.module.state_dict().items()}
    save_file(state, options.out, metadata=metadata)
    # For compare.mjs.
    with torch.no_grad(), open(f"{options.out}.json", "w") as file:
        pixels = options.low + images[:16].float() / 255 * (options.high - options.low)
        json.dump(model.module.cpu().eval()(pixels).softmax(1).tolist(), file)
dist.destroy_process_group()
