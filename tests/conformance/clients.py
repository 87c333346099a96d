"""The three ways to ask a model: gRPC, REST with binary tensors, REST with JSON."""

import http.client
import json
import struct

import grpc
import numpy as np

DEADLINE_S = 60
NUMPY_TYPES = {"BOOL": "?", "UINT8": "u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "INT8": "i1",
               "INT16": "<i2", "INT32": "<i4", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
               "BF16": "<u2"}  # a BF16 is compared by its bits, or widened


class Failed(Exception):
    """What a request was answered instead of outputs."""


class Tensor:
    """A tensor as requests have it: datatype, shape, elements in raw form."""

    def __init__(self, datatype, shape, raw):
        self.datatype, self.shape, self.raw = datatype, [int(extent) for extent in shape], raw

    @staticmethod
    def of_texts(shape, texts):
        return Tensor("BYTES", shape, b"".join(struct.pack("<I", len(t)) + t for t in texts))

    def texts(self):
        texts, rest = [], self.raw
        while rest:
            (length,) = struct.unpack_from("<I", rest)
            texts.append(rest[4:4 + length])
            rest = rest[4 + length:]
        return texts

    def array(self):
        if self.datatype == "BYTES":
            return np.array(self.texts(), dtype=object).reshape(self.shape)
        return np.frombuffer(self.raw, dtype=NUMPY_TYPES[self.datatype]).reshape(self.shape)

    def numbers(self):
        """As numbers to calculate with: a BF16 is the upper half of an FP32."""
        array = self.array()
        if self.datatype != "BF16":
            return array
        return (array.astype("<u4") << 16).view("<f4")

    def fits_json(self):
        """JSON has neither half floats nor infinity."""
        if self.datatype in ("FP16", "BF16"):
            return False
        if self.datatype == "BYTES":
            return all(is_utf8(text) for text in self.texts())
        return bool(np.isfinite(self.array()).all())

    def json_elements(self):
        if self.datatype == "BYTES":
            return [text.decode() for text in self.texts()]
        return self.array().ravel().tolist()


def is_utf8(text):
    try:
        text.decode()
        return True
    except UnicodeDecodeError:
        return False


def ask_grpc(channel, pb, app, inputs):
    request = pb.inference.ModelInferRequest(model_name=app)
    for name, tensor in inputs.items():
        request.inputs.add(name=name, datatype=tensor.datatype, shape=tensor.shape)
        request.raw_input_contents.append(tensor.raw)
    call = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer",
                               pb.inference.ModelInferRequest.SerializeToString,
                               pb.inference.ModelInferResponse.FromString)
    try:
        response = call(request, timeout=DEADLINE_S)
    except grpc.RpcError as error:
        raise Failed(f"gRPC {error.code().name}: {error.details()}") from None
    return {output.name: Tensor(output.datatype, output.shape, raw)
            for output, raw in zip(response.outputs, response.raw_output_contents)}


def post(address, app, body, headers):
    connection = http.client.HTTPConnection(address, timeout=DEADLINE_S)
    try:
        connection.request("POST", f"/v2/models/{app}/infer", body, headers)
        response = connection.getresponse()
        text = response.read()
        if response.status != 200:
            raise Failed(f"REST {response.status}: {text[:500].decode(errors='replace')}")
        return response, text
    except (OSError, http.client.HTTPException) as error:
        raise Failed(f"REST: {error!r}") from None
    finally:
        connection.close()


def ask_binary(address, app, inputs):
    head = {"inputs": [{"name": name, "datatype": t.datatype, "shape": t.shape,
                        "parameters": {"binary_data_size": len(t.raw)}} for name, t in inputs.items()],
            "parameters": {"binary_data_output": True}}
    text = json.dumps(head).encode()
    response, body = post(address, app, text + b"".join(t.raw for t in inputs.values()),
                          {"Inference-Header-Content-Length": str(len(text)), "Content-Type": "application/octet-stream"})
    length = int(response.getheader("Inference-Header-Content-Length"))
    answer, rest, outputs = json.loads(body[:length]), body[length:], {}
    for output in answer["outputs"]:
        size = output["parameters"]["binary_data_size"]
        outputs[output["name"]] = Tensor(output["datatype"], output["shape"], rest[:size])
        rest = rest[size:]
    return outputs


def ask_json(address, app, inputs):
    request = {"inputs": [{"name": name, "datatype": t.datatype, "shape": t.shape, "data": t.json_elements()}
                          for name, t in inputs.items()]}
    _, body = post(address, app, json.dumps(request).encode(), {"Content-Type": "application/json"})
    outputs = {}
    for output in json.loads(body)["outputs"]:
        if output["datatype"] == "BYTES":
            tensor = Tensor.of_texts(output["shape"], [text.encode() for text in output["data"]])
        else:
            elements = np.array(output["data"], dtype=NUMPY_TYPES[output["datatype"]])
            tensor = Tensor(output["datatype"], output["shape"], elements.tobytes())
        outputs[output["name"]] = tensor
    return outputs
