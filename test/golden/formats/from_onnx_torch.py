"""Makes small MobileNets as ONNX files with PyTorch's exporters and onnxruntime's tools, and what PyTorch computes.

    pip install torch onnx onnxscript onnxruntime
    python test/golden/formats/from_onnx_torch.py

Writes into test/golden/formats/onnx.
"""

import json
import tempfile
from pathlib import Path

import onnx
import onnxruntime.quantization as quantization
import torch
from onnxruntime.transformers.float16 import convert_float_to_float16
from torch import nn

from onnx_net import BLOCKS, CLASSES, FOLDER, SIZE, pictures


def torch_net() -> nn.Module:
    def conv(inputs: int, outputs: int, kernel: int, stride: int, groups: int) -> list[nn.Module]:
        convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU6()]

    layers = conv(3, 8, 3, 2, 1)
    channels = 8
    for filters, stride in BLOCKS:
        layers += conv(channels, channels, 3, stride, channels) + conv(channels, filters, 1, 1, 1)
        channels = filters
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(channels, CLASSES)]
    net = nn.Sequential(*layers).eval()
    generator = torch.Generator().manual_seed(1)
    for module in net:
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.weight, module.running_var):
                values.data = 0.5 + torch.rand(values.shape, generator=generator)
            for values in (module.bias, module.running_mean):
                values.data = 0.2 * torch.randn(values.shape, generator=generator)
        elif isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel()
            module.weight.data = torch.randn(module.weight.shape, generator=generator) * (2 / fan_in) ** 0.5
    return net


class Calibration(quantization.CalibrationDataReader):
    def __init__(self) -> None:
        planes = pictures(4).transpose(0, 3, 1, 2)
        self.batches = iter([{"x": picture[None]} for picture in planes])

    def get_next(self):
        return next(self.batches, None)


def export_torch(net: nn.Module, name: str, dynamic: bool = False, **options) -> None:
    if dynamic:
        options["dynamic_axes"] = {"x": {0: "n", 2: "h", 3: "w"}}
    example = torch.zeros(1, 3, *SIZE)
    path = FOLDER / f"{name}.onnx"
    torch.onnx.export(net, (example,), path, input_names=["x"], output_names=["y"], **options)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    net = torch_net()
    with torch.no_grad():
        logits = net(torch.from_numpy(pictures(2).transpose(0, 3, 1, 2))).numpy()
    training = torch.onnx.TrainingMode
    export_torch(net, "torch_folded", dynamo=False)
    export_torch(net, "torch_open_size", dynamic=True, dynamo=False)
    export_torch(net, "torch_batch_norm", dynamo=False, training=training.PRESERVE, do_constant_folding=False)
    export_torch(net, "torch_dynamo", dynamo=True, external_data=False)

    folded = onnx.load(FOLDER / "torch_folded.onnx")
    onnx.save(convert_float_to_float16(folded, keep_io_types=True), FOLDER / "torch_float16.onnx")
    quantization.quantize_static(
        FOLDER / "torch_folded.onnx",
        FOLDER / "onnxruntime_qdq.onnx",
        Calibration(),
        quant_format=quantization.QuantFormat.QDQ,
        per_channel=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        external = Path(folder) / "external.onnx"
        onnx.save(folded, external, save_as_external_data=True, size_threshold=0, location="external.data")
        (FOLDER / "external_data.onnx").write_bytes(external.read_bytes())

    (FOLDER / "torch.json").write_text(json.dumps(logits.ravel().tolist()))


main()
