#!/usr/bin/python3
"""Asks the public ONNX models (Debian's libonnx-testdata) of the real program, as clients would: each is imported,
applied, asked over gRPC, REST with binary tensors and REST with JSON, compared with the outputs that come with it, and
removed. Prints what became of them. docs/CONFORMANCE.md says what the rows mean.

usage: conformance.py --avocet FILE --protoc FILE [--draw N] [--only NAME...] [--least N] [--verbose]

exit: 0, or 1: a wrong value, transports that disagree, a refusal without a reason, too few equal ones, or a small model
of tests/data/models that did not end as it should
"""

import argparse
import collections
import hashlib
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import types

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
SET = "/usr/share/libonnx-testdata/data"
SEED = 1

EQUAL, AGREE, WRONG, CRASH = "equal", "transports agree", "WRONG", "agent killed"
REFUSED, LOCALE, NOT_COMPARED = "refused, with the reason", "needs a locale", "not comparable"

# What a refusal may say: anything else is not understood, and counts as wrong.
REASONS = {
    "is no tensor": "sequence, map or optional value",
    "element type that is not served": "an element type that requests do not carry",
    "failed to construct locale": LOCALE,
    "onnx runtime refuses the model": "ONNX Runtime refuses it",
    "does not run on": "ONNX Runtime does not run it",
    "in another file": "external data",
    "a request carries at most": "more tensors than a request carries",
    "the agent of node": CRASH,
}
# The set's own data are at fault, or what it expects is one of several right answers: why.
LIKE = "the set's input 'like' has another shape than its model takes"
CORNERS = "ONNX Runtime aligns the corners of what it makes smaller otherwise than the set"
DIGITS = "numbers as texts: the set expects NumPy's digits"
NOT_COMPARABLE = {
    "cast_FLOAT_to_STRING": DIGITS, "castlike_FLOAT_to_STRING": DIGITS, "castlike_FLOAT_to_STRING_expanded": DIGITS,
    "castlike_BFLOAT16_to_FLOAT": LIKE, "castlike_BFLOAT16_to_FLOAT_expanded": LIKE,
    "castlike_FLOAT_to_BFLOAT16": LIKE, "castlike_FLOAT_to_BFLOAT16_expanded": LIKE,
    "resize_downsample_scales_cubic_align_corners": CORNERS, "resize_downsample_scales_linear_align_corners": CORNERS,
    "maxunpool_export_with_output_shape": "what the set expects is wrong (onnx issue 5398)",
}
# How the models of tests/data/models end; the others' transports agree.
SMALL = {"extdata2": "external data", "manyin": "more tensors than a request carries", "div_client": CRASH}


def load_protocol(protoc, folder):
    """The messages, generated from the protocol files."""
    protos = REPOSITORY / "messages/proto"
    names = ["avocet/v1/records.proto", "avocet/v1/control.proto", "inference/grpc_service.proto"]
    subprocess.run([protoc, "-I", str(protos), f"--python_out={folder}", *names], check=True)
    sys.path.insert(0, str(folder))
    from avocet.v1 import control_pb2, records_pb2
    from inference import grpc_service_pb2
    return types.SimpleNamespace(control=control_pb2, records=records_pb2, inference=grpc_service_pb2)


def reason_of(text):
    for words, reason in REASONS.items():
        if words in text.lower():
            return reason
    return None


class Run:
    """One case on a cluster: `ended` and `why` say how."""

    def __init__(self, cluster, case):
        self.cluster, self.case = cluster, case
        self.needed_inputs = False
        try:
            self.ended, self.why = self.ask()
        except (Refused, Failed) as refusal:
            self.ended, self.why = self.judge(str(refusal))

    def judge(self, text):
        died = self.cluster.agent_died()
        if died:
            return CRASH, f"{died}: {text}"
        if self.case.name in NOT_COMPARABLE:
            return NOT_COMPARED, NOT_COMPARABLE[self.case.name]
        reason = reason_of(text)
        if reason is None:
            return WRONG, f"a refusal that nobody understands: {text}"
        return (LOCALE if reason == LOCALE else REFUSED), f"{reason}: {text}"

    def serve(self, name, inputs):
        """Applies it; where it does not run on invented inputs, measures it with its own first."""
        try:
            self.cluster.apply(name)
        except Refused as refusal:
            if "does not run on invented inputs" not in str(refusal) or not inputs:
                raise
            self.needed_inputs = True
            self.cluster.profile_with(name, {n: (t.shape, t.raw) for n, t in inputs.items()})
            self.cluster.apply(name)
        self.cluster.wait_until_served(name)

    def ask(self):
        model = self.case.file.read_bytes()
        name = "m" + hashlib.sha256(model).hexdigest()[:16]  # two of the set have one name but for upper case
        self.cluster.import_model(name, model)
        inputs = self.case.inputs()
        try:
            self.serve(name, inputs)
            return self.compare(name, inputs)
        finally:
            try:
                self.cluster.ask("RemoveApp", app=name)
            except Refused:
                pass  # it was never admitted

    def compare(self, name, inputs):
        cluster = self.cluster
        answers = {"gRPC": ask_grpc(cluster.inference, cluster.pb, name, inputs),
                   "REST binary": ask_binary(cluster.rest, name, inputs)}
        if all(t.fits_json() for t in [*inputs.values(), *answers["gRPC"].values()]):
            answers["REST JSON"] = ask_json(cluster.rest, name, inputs)
        random_ops = self.case.why_not_comparable() or NOT_COMPARABLE.get(self.case.name)
        if random_ops:
            return NOT_COMPARED, random_ops

        expected = self.case.expected()
        for transport, answer in answers.items():
            wrong = difference(answer, expected)
            if wrong:
                return WRONG, f"{transport}: {wrong}"
            if not same(answer, answers["gRPC"]):
                return WRONG, f"{transport} and gRPC give different answers"
        return (EQUAL if expected else AGREE), ", ".join(answers)


def is_as_it_should(case, run):
    """The small models have their own ends."""
    if case.data is not None:
        return run.ended != WRONG
    if case.name in SMALL:
        return SMALL[case.name] in (run.ended, run.why.split(":")[0])
    return run.ended == AGREE


def print_table(runs, seconds):
    rows = collections.Counter()
    for _, run in runs:
        rows[run.ended] += 1
        if run.ended == REFUSED:
            rows["  " + run.why.split(":")[0]] += 1
        if run.needed_inputs and run.ended == EQUAL:
            rows["  of the equal ones: measured with their own inputs"] += 1
    print(f"{len(runs)} models in {seconds:.0f} s")
    for ended in (EQUAL, AGREE, REFUSED, LOCALE, NOT_COMPARED, CRASH, WRONG):
        print(f"{rows.get(ended, 0):6}  {ended}")
        if ended == EQUAL and rows.get("  of the equal ones: measured with their own inputs"):
            print(f"{rows['  of the equal ones: measured with their own inputs']:6}    measured with their own inputs")
        if ended == REFUSED:
            for row, count in sorted(rows.items()):
                if row.startswith("  ") and "equal ones" not in row:
                    print(f"{count:6}    {row.strip()}")


def choose(options):
    small = [Case(file.stem, file) for file in sorted((REPOSITORY / "tests/data/models").glob("*.onnx"))]
    public = of_set(SET)
    if not public:
        sys.exit(f"no models in {SET}: install libonnx-testdata")
    if options.only:
        return [case for case in small + public if case.name in options.only]
    if options.draw:
        public = sorted(random.Random(SEED).sample(public, options.draw), key=lambda case: case.name)
    return small + public


def run_all(cluster, cases, verbose):
    runs = []
    for case in cases:
        run = Run(cluster, case)
        runs.append((case, run))
        good = is_as_it_should(case, run)
        if verbose or not good or run.ended in (CRASH, WRONG):
            print(f"{'' if good else 'FAILED '}{case.name}: {run.ended}: {run.why}", flush=True)
        if cluster.agent_died():
            cluster.start_agent()
    return runs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--avocet", required=True)
    parser.add_argument("--protoc", default="protoc")
    parser.add_argument("--draw", type=int, help="so many of the public models, always the same")
    parser.add_argument("--only", nargs="*", help="names of models")
    parser.add_argument("--least", type=int, default=0, help="so many must be equal")
    parser.add_argument("--verbose", action="store_true", help="a line for each model")
    options = parser.parse_args()

    folder = pathlib.Path(tempfile.mkdtemp(prefix="avocet-conformance-"))
    (folder / "stubs").mkdir()
    cluster = Cluster(options.avocet, folder, load_protocol(options.protoc, folder / "stubs"))
    try:
        begin = time.monotonic()
        runs = run_all(cluster, choose(options), options.verbose)
        print_table(runs, time.monotonic() - begin)
    finally:
        cluster.stop()
    good = all(is_as_it_should(case, run) for case, run in runs)
    return 0 if good and sum(run.ended == EQUAL for _, run in runs) >= options.least else 1


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    from cases import Case, difference, of_set, same
    from clients import Failed, ask_binary, ask_grpc, ask_json
    from cluster import Cluster, Refused

    sys.exit(main())
