"""Models to ask, with inputs and the outputs that are expected."""

import pathlib

import numpy as np
import onnx
import onnx.numpy_helper

from clients import NUMPY_TYPES, Tensor

# TensorProto.DataType.
DATATYPES = {1: "FP32", 2: "UINT8", 3: "INT8", 4: "UINT16", 5: "INT16", 6: "INT32", 7: "INT64", 8: "BYTES", 9: "BOOL",
             10: "FP16", 11: "FP64", 12: "UINT32", 13: "UINT64", 16: "BF16"}
RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}


class Case:
    """One model of the conformance set, or of tests/data/models, which has no expected outputs."""

    def __init__(self, name, file, data=None):
        self.name, self.file, self.data = name, pathlib.Path(file), data

    def model(self):
        return onnx.load(str(self.file), load_external_data=False)

    def inputs(self):
        graph = self.model().graph
        constants = {tensor.name for tensor in graph.initializer}
        asked = [value for value in graph.input if value.name not in constants]
        if self.data is None:
            return {value.name: ones(value) for value in asked}
        return self.read_all("input", asked)

    def expected(self):
        """By name of the output; none where the set has none."""
        if self.data is None:
            return {}
        return self.read_all("output", self.model().graph.output)

    def read_all(self, role, values):
        tensors = {}
        for i, value in enumerate(values):
            file = self.data / f"{role}_{i}.pb"
            if not file.exists():
                continue
            tensor = tensors[value.name] = read(file)
            if DATATYPES.get(value.type.tensor_type.elem_type) == "BF16" and tensor.datatype == "UINT16":
                tensor.datatype = "BF16"  # the set has their bits as whole numbers
        return tensors

    def why_not_comparable(self):
        """Answers that differ from run to run."""
        random = {node.op_type for node in self.model().graph.node} & RANDOM
        if random:
            return f"random: {', '.join(sorted(random))}"
        if any(node.op_type == "Dropout" for node in self.model().graph.node) and "training" in self.name:
            return "random: Dropout while training"
        return None


def ones(value):
    kind = value.type.tensor_type
    shape = [d.dim_value if d.HasField("dim_value") else 8 for d in kind.shape.dim]
    datatype, count = DATATYPES[kind.elem_type], int(np.prod(shape, dtype=np.int64))
    if datatype == "BYTES":
        return Tensor.of_texts(shape, [b"1"] * count)
    return Tensor(datatype, shape, np.ones(count, NUMPY_TYPES[datatype]).tobytes())


def read(file):
    proto = onnx.TensorProto()
    proto.ParseFromString(file.read_bytes())
    datatype, shape = DATATYPES[proto.data_type], list(proto.dims)
    if datatype == "BYTES":
        return Tensor.of_texts(shape, list(proto.string_data))
    if datatype == "BF16" and not proto.raw_data:
        return Tensor(datatype, shape, np.array(proto.int32_data, dtype="<u2").tobytes())
    if datatype == "BF16":
        return Tensor(datatype, shape, proto.raw_data)
    return Tensor(datatype, shape, onnx.numpy_helper.to_array(proto).astype(NUMPY_TYPES[datatype]).tobytes())


def difference(answer, expected):
    """What is wrong with an answer, or nothing. Floats may differ by 1e-3 of their value, as in the set's own runner (half
    floats, which have fewer digits, by 1e-2), and by 5e-5 of the largest element, as sums cancel out."""
    for name, wanted in expected.items():
        if name not in answer:
            return f"output '{name}' is missing"
        got = answer[name]
        if got.datatype != wanted.datatype or got.shape != wanted.shape:
            return f"output '{name}' is {got.datatype}{got.shape}, expected {wanted.datatype}{wanted.shape}"
        if wanted.datatype in ("BYTES", "BOOL") or "INT" in wanted.datatype:
            if not np.array_equal(got.array(), wanted.array()):
                return f"output '{name}' differs"
            continue
        mine, theirs = got.numbers().astype("f8"), wanted.numbers().astype("f8")
        largest = max(1, np.max(np.abs(theirs[np.isfinite(theirs)]), initial=0))
        rtol = 1e-2 if wanted.datatype in ("FP16", "BF16") else 1e-3
        if not np.allclose(mine, theirs, rtol=rtol, atol=5e-5 * largest, equal_nan=True):
            worst = np.nanmax(np.abs(mine - theirs))
            return f"output '{name}' differs by up to {worst:.3g}"
    return None


def same(one, other):
    """That two transports gave the same, bit by bit."""
    if one.keys() != other.keys():
        return False
    return all(one[n].datatype == other[n].datatype and one[n].shape == other[n].shape and
               (one[n].raw == other[n].raw or np.array_equal(one[n].array(), other[n].array(), equal_nan=True)
                if one[n].datatype != "BYTES" else one[n].raw == other[n].raw) for n in one)


def of_set(folder):
    """All models of the set, in order of name."""
    cases = []
    for file in sorted(pathlib.Path(folder).glob("*/*/model.onnx")):
        data = file.parent / "test_data_set_0"
        cases.append(Case(file.parent.name.removeprefix("test_"), file, data))
    return cases
