"""A controller and an agent of the real program, and what an operator asks of them over the Control service."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import time

import grpc

DEADLINE_S = 300
CHUNK = 1 << 20
NODE = "box"


class Refused(Exception):
    """What the program answered instead of doing it."""


class Cluster:
    def __init__(self, avocet, folder, protocol):
        self.avocet, self.folder, self.pb = avocet, pathlib.Path(folder), protocol
        self.lives = 0  # of the agent
        self.controller = self.start("controller", f'data_dir = "{self.folder}/controller"\nlisten = "127.0.0.1:0"\n')
        self.control = grpc.insecure_channel(self.endpoints("controller", self.controller)["control"])
        self.start_agent()

    def start(self, role, config):
        (self.folder / f"{role}.toml").write_text(config)
        log = open(self.folder / f"{role}.log", "a")
        return subprocess.Popen([self.avocet, role, "--config", str(self.folder / f"{role}.toml")], stdout=log, stderr=log)

    def endpoints(self, data, process):
        """The bound addresses, once the program says them."""
        file, deadline = self.folder / data / "endpoints.json", time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"{data} ended: see {self.folder}")
            try:
                return json.loads(file.read_text())
            except (FileNotFoundError, json.JSONDecodeError):
                time.sleep(0.02)
        raise RuntimeError(f"{data} does not say where it listens")

    def start_agent(self):
        """With a new folder each time: what killed the agent would be started again from its plan."""
        self.lives += 1
        data = f"agent{self.lives}"
        core = sorted(os.sched_getaffinity(0))[-1]
        control = self.endpoints("controller", self.controller)["control"]
        self.agent = self.start(
            "agent",
            f'name = "{NODE}"\ndata_dir = "{self.folder}/{data}"\ncontroller = "{control}"\n'
            '[inference]\ngrpc = "127.0.0.1:0"\nrest = "127.0.0.1:0"\nmetrics = "127.0.0.1:0"\n'
            f'[[device]]\nname = "cpu0"\nkind = "cpu"\nengine = "onnx"\nmemory_mb = 4096\ncores = [{core}]\n',
        )
        at = self.endpoints(data, self.agent)
        self.inference, self.rest = grpc.insecure_channel(at["grpc"]), at["rest"]
        self.wait("the device is healthy", self.is_healthy)

    def is_healthy(self):
        devices = self.ask("ListDevices").devices
        return [d.health for d in devices] == ["healthy"] and self.boot_is_new()

    def boot_is_new(self):
        nodes = self.ask("ListNodes").nodes
        boot = nodes[0].info.boot if nodes else ""
        if boot == getattr(self, "boot", None):
            return False
        self.boot = boot
        return True

    def wait(self, what, holds):
        deadline = time.monotonic() + DEADLINE_S
        while not holds():
            if time.monotonic() > deadline:
                raise RuntimeError(f"not within {DEADLINE_S} s: {what}")
            time.sleep(0.02)

    def agent_died(self):
        """How, or nothing. An agent that was killed is a zombie within the time that its sockets take to close."""
        if self.agent.poll() is None:
            return None
        return f"signal {-self.agent.returncode}" if self.agent.returncode < 0 else f"exit {self.agent.returncode}"

    def stop(self):
        for process in (self.agent, self.controller):
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    # What an operator asks.

    ANSWERS = {"ListDevices": "DeviceList", "ListNodes": "NodeList", "PutModelChunk": "ModelChunkStored",
               "ImportModel": "Model", "ProfileModel": "ProfileList", "ApplyApp": "Decision", "GetApp": "AppStatus",
               "RemoveApp": "RemovedApp"}

    def ask(self, name, **fields):
        request = getattr(self.pb.control, name + "Request")
        answer = getattr(self.pb.control, self.ANSWERS[name], None) or getattr(self.pb.records, self.ANSWERS[name])
        call = self.control.unary_unary(f"/avocet.v1.Control/{name}", request.SerializeToString, answer.FromString)
        try:
            return call(request(**fields), timeout=DEADLINE_S)
        except grpc.RpcError as error:
            raise Refused(error.details()) from None

    def upload(self, data):
        digest = hashlib.sha256(data).hexdigest()
        for offset in range(0, len(data), CHUNK):
            self.ask("PutModelChunk", sha256=digest, offset=offset, total_bytes=len(data), data=data[offset:offset + CHUNK])
        return digest

    def import_model(self, name, data):
        variant = self.pb.records.Variant(format=self.pb.records.MODEL_FORMAT_ONNX, file=self.upload(data),
                                          size_bytes=len(data))
        self.ask("ImportModel", model=self.pb.records.Model(name=name, version="1", variants=[variant]))

    def profile_with(self, name, inputs):
        """`inputs`: name -> (shape, raw bytes); as `avocet model profile --input NAME=FILE --shape ...`."""
        records, samples = self.pb.records, []
        for given, (shape, data) in inputs.items():
            sample = records.SampleInput(name=given, fill=records.SAMPLE_FILL_ZEROS, shape=records.Shape(extents=shape))
            if data:
                sample.fill, sample.file, sample.size_bytes = records.SAMPLE_FILL_FILE, self.upload(data), len(data)
            samples.append(sample)
        self.ask("ProfileModel", model=name, samples=samples)

    def apply(self, name):
        """Admits the application; the verdict's words where it is refused."""
        records = self.pb.records
        app = records.Application(
            name=name, model=name, tenant="default", rate_rps=0.01,
            rate_source=records.RATE_SOURCE_DECLARED_OR_MEASURED,
            arrival=records.Arrival(kind=records.ARRIVAL_KIND_POISSON, scv=1),
            objective=records.Objective(statistic=records.STATISTIC_MEAN, latency_ns=60 * 10**9), priority=50)
        decision = self.ask("ApplyApp", app=app)
        if decision.kind == records.DECISION_KIND_REJECT:
            raise Refused("; ".join(v.detail for v in decision.verdicts))

    def wait_until_served(self, name):
        """Until its copy serves, fails, or the agent is dead."""
        records, placement = self.pb.records, None

        def is_settled():
            nonlocal placement
            placement = self.ask("GetApp", app=name).placement
            return placement.phase in (records.PLACEMENT_PHASE_READY, records.PLACEMENT_PHASE_FAILED) or self.agent_died()

        self.wait(f"{name} serves or fails", is_settled)
        if placement.phase == records.PLACEMENT_PHASE_FAILED:
            raise Refused(placement.reason)
