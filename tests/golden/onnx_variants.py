"""Makes onnx-variants/: one tiny ONNX file for every way that onnxruntime's quantizers store weights.

values.json holds, by file and Hugging Face name, the shape and the SHA-256 of the values that onnxruntime itself decodes: by
a product with the identity, rows gathered one by one, or DequantizeLinear. Scales in float16 are widened before, which is
exact; a zero counts as positive.

Run:  python tests/golden/onnx_variants.py        (onnx 1.23.2, onnxruntime 1.30.0, onnx_ir 1.1.0)
"""

from __future__ import annotations

import copy
import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_bnb4_quantizer import MatMulBnb4Quantizer
from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer
from onnxruntime.quantization.quant_utils import QuantFormat
from onnxruntime.transformers.float16 import convert_float_to_float16

HERE = Path(__file__).resolve().parent
OUT = HERE / "onnx-variants"
SEED = 20
OPSET = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
MICROSOFT = "com.microsoft"
# 96 columns: whole blocks of 16 and 32, a broken one of 64 and of 128. 100 columns: a broken block of every size.
VOCAB, HIDDEN, INNER = 6, 96, 100
MODULES = {
    "model.layers.0.self_attn.q_proj": (8, HIDDEN),
    "model.layers.0.self_attn.o_proj": (5, INNER),
    "lm_head": (VOCAB, HIDDEN),
}
EMBEDDING, NORM = "model.embed_tokens", "model.norm"


def path_of(module: str) -> str:
    return "/" + module.replace(".", "/").replace("/layers/", "/layers.")


def base_model() -> onnx.ModelProto:
    """Embedding, norm and three products, named as optimum names them."""
    rng = np.random.default_rng(SEED)

    def draw(*shape: int) -> np.ndarray:
        # Uneven rows, so that scales and zero points differ.
        return (rng.normal(size=shape) * rng.uniform(0.2, 3, (shape[0],) + (1,) * (len(shape) - 1)) + 0.1).astype(np.float32)

    inits = {EMBEDDING + ".weight": draw(VOCAB, HIDDEN), NORM + ".weight": draw(HIDDEN)}
    nodes = [
        helper.make_node("Gather", [EMBEDDING + ".weight", "ids"], ["e"], path_of(EMBEDDING) + "/Gather"),
        helper.make_node("Mul", ["e", NORM + ".weight"], ["x"], path_of(NORM) + "/Mul_1"),
    ]
    for i, (module, shape) in enumerate(MODULES.items()):
        name = f"onnx::MatMul_{700 + i}"
        inits[name] = np.ascontiguousarray(draw(*shape).T)
        nodes.append(helper.make_node("MatMul", ["z" if shape[1] == INNER else "x", name], [f"y{i}"], path_of(module) + "/MatMul"))
    graph = helper.make_graph(
        nodes,
        "main_graph",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"]),
            helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", INNER]),
        ],
        [helper.make_tensor_value_info(f"y{i}", TensorProto.FLOAT, ["n", rows]) for i, (rows, _) in enumerate(MODULES.values())],
        [numpy_helper.from_array(array, name) for name, array in inits.items()],
    )
    return helper.make_model(graph, opset_imports=OPSET, ir_version=10)


def run(node: onnx.NodeProto, inits: dict[str, onnx.TensorProto], feed: dict[str, np.ndarray]) -> np.ndarray:
    """The only output of a graph with this one node."""
    node = onnx.NodeProto.FromString(node.SerializeToString())
    del node.output[1:]
    kinds = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64}
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info(name, kinds[array.dtype], array.shape) for name, array in feed.items()],
        [helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None)],
        [inits[name] for name in node.input if name in inits],
    )
    model = helper.make_model(graph, opset_imports=OPSET, ir_version=10)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, feed)[0]


def widened(model: onnx.ModelProto) -> dict[str, onnx.TensorProto]:
    """The initializers, those of float16 as float32."""
    found = {}
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        found[tensor.name] = numpy_helper.from_array(array.astype(np.float32), tensor.name) if array.dtype == np.float16 else tensor
    return found


def dequantized(inits: dict[str, onnx.TensorProto], data: str, scale: str, zero: str | None, axis: int = 1) -> np.ndarray:
    names = [data, scale] + ([zero] if zero else [])
    return run(helper.make_node("DequantizeLinear", names, ["y"], axis=axis), inits, {})


def decoded(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Every weight of the model as onnxruntime decodes it, by Hugging Face name, [out, in]."""
    inits, found = widened(model), {}
    producers = {name: node for node in model.graph.node for name in node.output}
    for node in model.graph.node:
        module = node.name.rsplit("/", 1)[0].strip("/").replace("/", ".")
        name = module + ".weight"
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type in ("MatMulNBits", "MatMulBnb4"):
            eye = np.eye(attributes["K"], dtype=np.float32)
            found[name] = run(node, inits, {node.input[0]: eye}).T
        elif node.op_type == "GatherBlockQuantized" or (node.op_type == "Gather" and module == EMBEDDING):
            if node.op_type == "Gather" and node.input[0].endswith("_quantized"):
                stem = node.input[0].removesuffix("_quantized")
                found[name] = dequantized(inits, node.input[0], stem + "_scale", stem + "_zero_point")
            else:
                found[name] = run(node, inits, {node.input[1]: np.arange(VOCAB, dtype=np.int64)})
        elif node.op_type == "MatMulInteger":
            stem = node.input[1].removesuffix("_quantized")
            found[name] = dequantized(inits, node.input[1], stem + "_scale", stem + "_zero_point").T
        elif node.op_type == "MatMul":
            weight = producers.get(node.input[1])
            if weight is None:
                found[name] = numpy_helper.to_array(inits[node.input[1]]).T
            elif weight.op_type == "DequantizeLinear":
                found[name] = run(weight, inits, {}).T
            else:  # Transpose of a DequantizeLinear
                found[name] = run(producers[weight.input[0]], inits, {})
    found[NORM + ".weight"] = numpy_helper.to_array(inits[NORM + ".weight"])
    return {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in found.items()}


def nbits(model: onnx.ModelProto, block: int, symmetric: bool, bits: int = 4, ops: tuple[str, ...] = ("MatMul",)) -> onnx.ModelProto:
    config = DefaultWeightOnlyQuantConfig(
        block_size=block, is_symmetric=symmetric, bits=bits, op_types_to_quantize=ops, quant_axes=(("MatMul", 0), ("Gather", 1))
    )
    quantizer = MatMulNBitsQuantizer(model, algo_config=config)
    quantizer.process()
    return quantizer.model.model


def bnb4(model: onnx.ModelProto, kind: int, block: int) -> onnx.ModelProto:
    quantizer = MatMulBnb4Quantizer(model, quant_type=kind, block_size=block)
    quantizer.process()
    return quantizer.model.model


def dynamic(source: Path, kind: QuantType, per_channel: bool) -> onnx.ModelProto:
    target = OUT / "dynamic.tmp"
    quantize_dynamic(source, target, weight_type=kind, per_channel=per_channel, extra_options={"MatMulConstBOnly": True})
    model = onnx.load(target)
    target.unlink()
    return model


def weight_only() -> onnx.ModelProto:
    """8-bit weights that DequantizeLinear widens: [in, out] by column, [out, in] by row and transposed, [in, out] at once."""
    model = base_model()
    inits = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        if node.op_type != "MatMul":
            nodes.append(node)
            continue
        name, number = node.input[1], int(node.input[1][-1])
        weight = inits.pop(name)
        if number == 1:
            weight = weight.T
        axis = 1 - number % 2
        low, high = (weight.min(1 - axis), weight.max(1 - axis)) if number < 2 else (weight.min(), weight.max())
        if number == 0:
            scale = (np.maximum(-low, high) / 127).astype(np.float32)
            zero = np.zeros(scale.shape, np.int8)
        else:
            scale = ((np.maximum(high, 0) - np.minimum(low, 0)) / 255).astype(np.float32)
            zero = np.clip(np.round(-np.minimum(low, 0) / scale), 0, 255).astype(np.uint8)
        spread = (slice(None), None) if axis == 0 and number < 2 else ...
        levels = np.round(weight / scale[spread]) + zero[spread]
        inits[name + "_q"] = np.clip(levels, *(np.iinfo(zero.dtype).min, np.iinfo(zero.dtype).max)).astype(zero.dtype)
        inits[name + "_s"], inits[name + "_z"] = scale, zero
        parts = [name + "_q", name + "_s"] + ([name + "_z"] if number else [])
        nodes.append(helper.make_node("DequantizeLinear", parts, [name + "_d"], name + "_DequantizeLinear", axis=axis))
        if number == 1:
            nodes.append(helper.make_node("Transpose", [name + "_d"], [name + "_t"], name + "_Transpose", perm=[1, 0]))
        nodes.append(helper.make_node("MatMul", [node.input[0], name + ("_t" if number == 1 else "_d")], node.output, node.name))
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(array), name) for name, array in inits.items())
    return model


def gathers(data_type: int, bits: int, block: int, zeros: bool) -> onnx.ModelProto:
    """An embedding for GatherBlockQuantized, of ONNX's 4-bit types or of bytes."""
    rng = np.random.default_rng(SEED + bits + data_type)
    blocks = -(-HIDDEN // block)

    def codes(*shape: int) -> onnx.TensorProto:
        name = "codes" if shape[-1] > blocks or bits == 8 and shape[-1] == HIDDEN else "zeros"
        if data_type == TensorProto.UINT8:
            bytes_ = shape[:-1] + (-(-shape[-1] * bits // 8),)
            return numpy_helper.from_array(rng.integers(0, 256, bytes_, np.uint8), name)
        low = -8 if data_type == TensorProto.INT4 else 0
        return helper.make_tensor(name, data_type, shape, rng.integers(low, low + 16, shape).flatten().tolist())

    inits = [codes(VOCAB, HIDDEN), numpy_helper.from_array(rng.uniform(0.01, 1, (VOCAB, blocks)).astype(np.float32), "scales")]
    if zeros:
        inits.append(codes(VOCAB, blocks))
    node = helper.make_node(
        "GatherBlockQuantized",
        ["codes", "ids", "scales"] + (["zeros"] if zeros else []),
        ["e"],
        path_of(EMBEDDING) + "/GatherBlockQuantized",
        domain=MICROSOFT,
        block_size=block,
        gather_axis=0,
        quantize_axis=1,
        **({"bits": bits} if data_type == TensorProto.UINT8 else {}),
    )
    model = base_model()
    kept = [n for n in model.graph.node if n.op_type == "Mul"]
    norm = [t for t in model.graph.initializer if t.name == NORM + ".weight"]
    del model.graph.node[:], model.graph.initializer[:], model.graph.output[:]
    model.graph.node.extend([node, *kept])
    model.graph.initializer.extend([*norm, *inits])
    model.graph.output.append(helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", HIDDEN]))
    return model


def spread_over_files(model: onnx.ModelProto, name: str) -> None:
    """Every other initializer in a second data file, as for models of more than 2 GB."""
    files = [bytearray(), bytearray()]
    for i, tensor in enumerate(model.graph.initializer):
        data = numpy_helper.to_array(tensor).tobytes()
        part = files[i % 2]
        part.extend(b"\0" * (-len(part) % 64))
        tensor.raw_data = data
        set_external_data(tensor, f"{name}_data" + ("_1" if i % 2 else ""), len(part), len(data))
        tensor.ClearField("raw_data")
        part.extend(data)
    (OUT / f"{name}_data").write_bytes(files[0])
    (OUT / f"{name}_data_1").write_bytes(files[1])


def main() -> None:
    logging.disable(logging.INFO)
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    half = convert_float_to_float16(base_model(), disable_shape_infer=True)
    full = OUT / "full.tmp"
    onnx.save(base_model(), full)
    models = {"fp32": base_model(), "fp16": half}
    for block in (16, 32, 64, 128):
        models[f"q4-{block}"] = nbits(base_model(), block, False)
        models[f"q4-{block}-symmetric"] = nbits(base_model(), block, True)
    models["q4-gather"] = nbits(base_model(), 32, False, ops=("MatMul", "Gather"))
    models["q4f16"] = nbits(copy.deepcopy(half), 32, False)
    models["q8-32"] = nbits(base_model(), 32, False, 8)
    models["q8-64-symmetric"] = nbits(base_model(), 64, True, 8)
    for kind, name in ((1, "nf4"), (0, "fp4")):
        models[f"bnb4-{name}"] = bnb4(base_model(), kind, 64)
    models["bnb4-f16"] = bnb4(copy.deepcopy(half), 1, 32)
    for kind in (QuantType.QInt8, QuantType.QUInt8):
        name = kind.name[1:].lower()
        models[name] = dynamic(full, kind, False)
        models[f"{name}-channel"] = dynamic(full, kind, True)
    models["weight-only"] = weight_only()
    for zeros in (False, True):
        end = "-zeros" if zeros else ""
        models[f"gather-u4{end}"] = gathers(TensorProto.UINT4, 4, 32, zeros)
        models[f"gather-i4{end}"] = gathers(TensorProto.INT4, 4, 32, zeros)
        models[f"gather-4bit{end}"] = gathers(TensorProto.UINT8, 4, 32, zeros)
        models[f"gather-4bit-16{end}"] = gathers(TensorProto.UINT8, 4, 16, zeros)
        models[f"gather-8bit{end}"] = gathers(TensorProto.UINT8, 8, 32, zeros)
    full.unlink()

    values = {}
    for name, model in models.items():
        values[name] = digests(decoded(model))
        onnx.save(model, OUT / f"{name}.onnx")
    spread = nbits(base_model(), 32, False)
    values["external"] = digests(decoded(spread))
    spread_over_files(spread, "external.onnx")
    onnx.save(spread, OUT / "external.onnx")
    (OUT / "values.json").write_text(json.dumps({"script": "tests/golden/onnx_variants.py", "files": values}, indent=1) + "\n", "utf-8")
    sizes = {path.name: path.stat().st_size for path in sorted(OUT.iterdir())}
    print(json.dumps(sizes, indent=1), sum(sizes.values()))


def digests(tensors: dict[str, np.ndarray]) -> dict[str, dict]:
    return {
        name: {"shape": list(array.shape), "sha256": hashlib.sha256((array + np.float32(0)).tobytes()).hexdigest()}
        for name, array in sorted(tensors.items())
    }


if __name__ == "__main__":
    main()
