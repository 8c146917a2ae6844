"""SHA-256 of every weight of llama-int4/model/onnx/model_q4.onnx as the onnx package reads it.

Writes tests/golden/onnx-tensors.json: for each tensor its form, logical shape and the digests of data, scales and zeros.

Run:  python tests/golden/onnx_tensors.py        (onnx 1.23.2, after llama.py)
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import onnx
from onnx import numpy_helper

HERE = Path(__file__).resolve().parent
MODEL = "llama-int4/model/onnx/model_q4.onnx"


def digest(tensor: onnx.TensorProto) -> str:
    return hashlib.sha256(numpy_helper.to_array(tensor).tobytes()).hexdigest()


def main() -> None:
    graph = onnx.load(str(HERE / MODEL)).graph
    initializers = {t.name: t for t in graph.initializer}
    tensors = {}
    for node in graph.node:
        if node.op_type != "MatMulNBits":
            continue
        attributes = {a.name: a.i for a in node.attribute}
        name = node.name.removeprefix("/").rsplit("/", 1)[0].replace("/", ".") + ".weight"
        data, scales, zeros = (initializers[i] for i in node.input[1:4])
        tensors[name] = {
            "form": "int4",
            "shape": [attributes["N"], attributes["K"]],
            "data": digest(data),
            "scales": digest(scales),
            "zeros": digest(zeros),
        }
    for name, tensor in initializers.items():
        if name.startswith(("model.", "lm_head.")) and name.endswith((".weight", ".bias")):
            tensors[name] = {"form": "f32", "shape": list(tensor.dims), "data": digest(tensor)}
    path = HERE / "onnx-tensors.json"
    out = {"script": "tests/golden/onnx_tensors.py", "model": MODEL, "tensors": tensors}
    path.write_text(json.dumps(out, indent=1) + "\n", "utf-8")
    print(path, len(tensors), "tensors")


if __name__ == "__main__":
    main()
