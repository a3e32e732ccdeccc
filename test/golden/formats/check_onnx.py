"""Checks exported ONNX files with Python's tools: the checker, strict shape inference and onnxruntime.

    ONNX_FOLDER=/tmp/onnx npx vitest run test/formats/onnxExport.test.ts test/formats/onnxPrecision.test.ts
    python test/golden/formats/check_onnx.py /tmp/onnx

Needs onnx and onnxruntime. Each NAME.onnx has a NAME.json beside it: pictures, and what must come out.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime


def check(path: Path) -> float:
    case = json.loads(path.with_suffix(".json").read_text())
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    values = {value.name for value in [*inferred.graph.value_info, *inferred.graph.output]}
    missing = {name for node in model.graph.node for name in node.output} - values
    if missing:
        raise ValueError(f"no shape for {missing}")

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    source, result = session.get_inputs()[0], session.get_outputs()[0]
    dtype = np.uint8 if source.type == "tensor(uint8)" else np.float32
    pictures = np.array(case["pictures"], dtype).reshape(case["shape"])
    (output,) = session.run(None, {source.name: pictures})
    if list(output.shape[1:]) != result.shape[1:]:
        raise ValueError(f"{output.shape} where the file says {result.shape}")
    error = float(np.abs(output.ravel() - np.array(case["expected"])).max())
    if not error <= case["tolerance"]:
        raise ValueError(f"an error of {error}, above {case['tolerance']}")
    return error


def main() -> None:
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}")
    failed = 0
    for path in sorted(Path(sys.argv[1]).glob("*.onnx")):
        try:
            print(f"{path.stem}: {check(path):.1e}")
        except Exception as error:  # noqa: BLE001: whatever it is, the next file is checked too
            failed += 1
            print(f"{path.stem}: {error}")
    sys.exit(failed > 0)


main()
