"""Golden weights and logits of MobileNetV1 in timm and in transformers, for odd sizes too, where paddings differ.

Run from anywhere, with timm 1.0.31, transformers 4.57.1, torch 2.15 and safetensors 0.8:

    python test/golden/formats/from_timm.py

Pictures are bytes of the generator in golden.py, mapped to [-1, 1]. timm's own builder rounds narrow widths up to 8
channels, so that its network is put together here from its parts, without rounding.
"""

import json
import pathlib
import sys
from functools import partial

import timm
import torch
import transformers
from safetensors.torch import save_file
from timm.models.efficientnet import EfficientNet, decode_arch_def
from torch import nn

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent))
from golden import hashes  # noqa: E402

ALPHA = 0.0625
CLASSES = 5
SIZES = (32, 33, 37)
TIMM_STAGES = [["dsa_r1_k3_s1_c64"], ["dsa_r2_k3_s2_c128"], ["dsa_r2_k3_s2_c256"], ["dsa_r6_k3_s2_c512"], ["dsa_r2_k3_s2_c1024"]]


def timm_network():
    return EfficientNet(
        block_args=decode_arch_def(TIMM_STAGES),
        num_classes=CLASSES,
        num_features=0,
        stem_size=32,
        round_chs_fn=lambda channels: int(channels * ALPHA),
        norm_layer=partial(nn.BatchNorm2d, eps=1e-5),
        act_layer=nn.ReLU6,
    )


def transformers_network():
    config = transformers.MobileNetV1Config(depth_multiplier=ALPHA, min_depth=1, num_labels=CLASSES)
    return transformers.MobileNetV1ForImageClassification(config)


def randomize(network, seed):
    """Weights that keep signals alive, and statistics that are not those of a fresh network."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if not tensor.is_floating_point():
                continue
            normal = torch.randn(tensor.shape, generator=generator)
            uniform = torch.rand(tensor.shape, generator=generator)
            if name.endswith("running_var"):
                tensor.copy_(0.5 + uniform)
            elif tensor.dim() == 1:
                is_gamma = name.endswith("weight")
                tensor.copy_(0.75 + uniform / 2 if is_gamma else normal / 4)
            else:
                tensor.copy_(normal * (2 / tensor[0].numel()) ** 0.5)
    return network.eval()


def pictures(size):
    """A picture `[1,3,H,W]`; the generator's bytes are `[H,W,3]`."""
    byte = hashes(f"formats/{size}", size * size * 3) >> 24
    picture = torch.tensor(byte.astype("float32")).reshape(1, size, size, 3)
    return (picture / 255 * 2 - 1).permute(0, 3, 1, 2)


def logits_of(network):
    with torch.no_grad():
        outputs = {size: network.double()(pictures(size).double()) for size in SIZES}
    return {size: getattr(output, "logits", output)[0].tolist() for size, output in outputs.items()}


logits = {}
for seed, (name, network) in enumerate({"timm": timm_network(), "transformers": transformers_network()}.items(), 1):
    randomize(network, seed)
    save_file(network.state_dict(), here / "timm" / f"{name}.safetensors", metadata={"format": "pt"})
    logits[name] = logits_of(network)
made_with = f"timm {timm.__version__}, transformers {transformers.__version__}, torch {torch.__version__}"
text = json.dumps({"made_with": made_with, "alpha": ALPHA, "classes": CLASSES, "logits": logits}, indent=1)
(here / "timm" / "logits.json").write_text(text + "\n")
