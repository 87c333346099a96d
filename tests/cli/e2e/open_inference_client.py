"""A client of the Open Inference Protocol that shares nothing with Avocet but the protocol file.

usage: open_inference_client.py STUBS_FOLDER ADDRESS APPLICATION INPUT_FILE [SHAPE]
Asks every method of the protocol, and prints what was answered as one JSON object. The input file holds
the raw bytes of the only input, FP32. SHAPE, such as 1x3x48x192, is for a model that leaves extents open.
"""

import json
import struct
import sys

import grpc

sys.path.insert(0, sys.argv[1])
from inference import grpc_service_pb2 as pb
from inference import grpc_service_pb2_grpc as pb_grpc

DEADLINE_S = 30


def tensors(list_of_metadata):
    return [{"name": t.name, "datatype": t.datatype, "shape": list(t.shape)} for t in list_of_metadata]


def request(app, metadata, **fields):
    wanted = metadata.inputs[0]
    shape = [int(extent) for extent in sys.argv[5].split("x")] if len(sys.argv) > 5 else wanted.shape
    tensor = pb.ModelInferRequest.InferInputTensor(name=wanted.name, datatype=wanted.datatype, shape=shape)
    return pb.ModelInferRequest(model_name=app, id="frame-1", inputs=[tensor], **fields)


def answer(response):
    parameters = {name: p.bool_param for name, p in response.parameters.items() if p.HasField("bool_param")}
    return {
        "model_name": response.model_name,
        "model_version": response.model_version,
        "id": response.id,
        "parameters": parameters,
        "outputs": tensors(response.outputs),
        "raw": [raw.hex() for raw in response.raw_output_contents],
    }


def error_of(call, message):
    try:
        call(message, timeout=DEADLINE_S)
        return "OK"
    except grpc.RpcError as error:
        return error.code().name


def triton_clients(stub, app, metadata, raw):
    """The calls of perf_analyzer in their order, tritonclient's asynchronous calls on one channel, its stream."""
    stub.ModelMetadata(pb.ModelMetadataRequest(name=app), timeout=DEADLINE_S)
    config = stub.ModelConfig(pb.ModelConfigRequest(name=app), timeout=DEADLINE_S).config
    extensions = stub.ServerMetadata(pb.ServerMetadataRequest(), timeout=DEADLINE_S).extensions

    def counts():
        statistics = stub.ModelStatistics(pb.ModelStatisticsRequest(name=app), timeout=DEADLINE_S)
        sections = statistics.model_stats[0].inference_stats
        return [getattr(sections, name).count for name in ("success", "compute_input", "compute_infer", "compute_output")]

    def numbered(i):
        message = request(app, metadata, raw_input_contents=[raw])
        message.id = str(i)
        message.parameters["priority"].uint64_param = 0
        message.parameters["timeout"].int64_param = DEADLINE_S * 1000000
        return message

    before = counts()
    calls = [stub.ModelInfer.future(numbered(i), timeout=DEADLINE_S) for i in range(32)]
    answers = [call.result() for call in calls]
    stream = [a for a in stub.ModelStreamInfer(iter([numbered(i) for i in range(8)]), timeout=DEADLINE_S)]
    return {
        "config": {"name": config.name, "max_batch_size": config.max_batch_size},
        "statistics": "statistics" in extensions,
        "ids": [a.id for a in answers],
        "outputs": len({a.raw_output_contents[0] for a in answers}),
        "stream_ids": [a.infer_response.id for a in stream],
        "stream_errors": [a.error_message for a in stream if a.error_message],
        "counted": [after - b for b, after in zip(before, counts())],
    }


def main():
    address, app = sys.argv[2], sys.argv[3]
    with open(sys.argv[4], "rb") as file:
        raw = file.read()
    with grpc.insecure_channel(address) as channel:
        stub = pb_grpc.GRPCInferenceServiceStub(channel)
        metadata = stub.ModelMetadata(pb.ModelMetadataRequest(name=app), timeout=DEADLINE_S)
        typed = request(app, metadata)
        typed.inputs[0].contents.fp32_contents.extend(struct.unpack("<%df" % (len(raw) // 4), raw))
        wrong_shape = request(app, metadata, raw_input_contents=[raw])
        wrong_shape.inputs[0].shape[0] += 1
        first_output = request(app, metadata, raw_input_contents=[raw])
        first_output.outputs.add(name=metadata.outputs[0].name)
        classes = request(app, metadata, raw_input_contents=[raw])
        classes.outputs.add(name=metadata.outputs[0].name).parameters["classification"].int64_param = 3
        server = stub.ServerMetadata(pb.ServerMetadataRequest(), timeout=DEADLINE_S)
        said = {
            "live": stub.ServerLive(pb.ServerLiveRequest(), timeout=DEADLINE_S).live,
            "ready": stub.ServerReady(pb.ServerReadyRequest(), timeout=DEADLINE_S).ready,
            "model_ready": stub.ModelReady(pb.ModelReadyRequest(name=app), timeout=DEADLINE_S).ready,
            "stranger_ready": stub.ModelReady(pb.ModelReadyRequest(name="stranger"), timeout=DEADLINE_S).ready,
            "server": {"name": server.name, "version": server.version},
            "model": {
                "name": metadata.name,
                "versions": list(metadata.versions),
                "platform": metadata.platform,
                "inputs": tensors(metadata.inputs),
                "outputs": tensors(metadata.outputs),
            },
            "raw": answer(
                stub.ModelInfer(request(app, metadata, raw_input_contents=[raw]), timeout=DEADLINE_S)
            ),
            "typed": answer(stub.ModelInfer(typed, timeout=DEADLINE_S)),
            "compressed": [
                answer(stub.ModelInfer(typed, timeout=DEADLINE_S, compression=algorithm))
                for algorithm in (grpc.Compression.Gzip, grpc.Compression.Deflate)
            ],
            "triton_clients": triton_clients(stub, app, metadata, raw),
            "classes": answer(stub.ModelInfer(classes, timeout=DEADLINE_S)),
            "first_output": answer(stub.ModelInfer(first_output, timeout=DEADLINE_S)),
            "errors": {
                "stranger": error_of(stub.ModelInfer, request("stranger", metadata, raw_input_contents=[raw])),
                "stranger_metadata": error_of(stub.ModelMetadata, pb.ModelMetadataRequest(name="stranger")),
                "wrong_version": error_of(
                    stub.ModelInfer, request(app, metadata, model_version="99", raw_input_contents=[raw])
                ),
                "wrong_shape": error_of(stub.ModelInfer, wrong_shape),
                "short_input": error_of(stub.ModelInfer, request(app, metadata, raw_input_contents=[raw[:-4]])),
                "no_input": error_of(stub.ModelInfer, pb.ModelInferRequest(model_name=app)),
            },
        }
    print(json.dumps(said))


main()
