"""The time that the local SageMaker endpoint adds to a training job: python -m benchmarks.bench_endpoint

This overhead is the time from just before the client's CreateTrainingJob to the job's TrainingEndTime, less the seconds
of the user's process from its first statement to its last, by its own clock. So it includes the call, validation,
recording, inputs from S3, starting the process, noticing its end, model.tar.gz to S3 and all events. The process is a
shell that prints metrics and sleeps, so that it takes no processor time from the endpoint.
"""

import argparse
import itertools
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from seedbed.local_cloud.clients import LocalAws
from seedbed.local_cloud.home.folder import Home
from seedbed.local_cloud.process import served

ENTRY = """
began=$(date +%s%N)
echo "epoch 1 - loss: 0.51; accuracy: 0.71;"
sleep "$SECONDS_TO_SLEEP"
echo "epoch 2 - loss: 0.49; accuracy: 0.74;"
echo weights > "$SAGEMAKER_BASE_DIR/model/weights"
echo "$began $(date +%s%N)" > "$TIMES/$TRAINING_JOB_NAME"
"""
DOCKERFILE = 'FROM busybox\nCOPY entry.sh .\nENTRYPOINT ["sh", "entry.sh"]\n'
BUCKET = "bench"
HEADING = f"""# Endpoint overhead
Written by `make bench-endpoint` on {os.cpu_count()} cores. The time that the local SageMaker endpoint adds to
a training job: the call, validation, recording, inputs from S3, starting the process, noticing its end, model.tar.gz to
S3 and the events of every change. The bar is a median of 50 ms with 16 jobs in parallel.

"""
SLEEP = (1.0, 2.0)


@dataclass(frozen=True)
class Row:
    """One line of the table: overheads and elapsed time in seconds, and the server's processor seconds for all jobs."""

    parallel: int
    own: list[float]
    processor: float
    elapsed: float

    def cells(self) -> list[str]:
        milliseconds = sorted(1000 * value for value in self.own)
        quarters = statistics.quantiles(milliseconds, n=20)
        return [
            str(self.parallel),
            str(len(self.own)),
            f"{statistics.median(milliseconds):.0f}",
            f"{quarters[4]:.0f}-{quarters[14]:.0f}",
            f"{min(quarters[18], milliseconds[-1]):.0f}",
            f"{milliseconds[-1]:.0f}",
            f"{1000 * self.processor / len(self.own):.0f}",
            f"{100 * self.processor / self.elapsed:.0f} %",
        ]


class Bench:
    """The clients of one endpoint."""

    def __init__(self, aws: LocalAws, server: psutil.Process, times: Path) -> None:
        self.sagemaker, self.s3 = aws.client("sagemaker"), aws.client("s3")
        self._server = server
        self._times = times
        self._numbers = itertools.count()
        self._random = random.Random(5)  # noqa: S311  lengths of sleep
        self._lock = threading.Lock()
        self.s3.create_bucket(Bucket=BUCKET)
        for number in range(4):
            self.s3.put_object(Bucket=BUCKET, Key=f"train/{number}.bin", Body=os.urandom(50_000))

    def measure(self, parallel: int, jobs: int) -> Row:
        """Runs jobs from `parallel` clients, each with one job after the other."""
        before, began = self._processor(), time.time()
        with ThreadPoolExecutor(parallel) as pool:
            own = list(pool.map(lambda _: self.one_job(), range(jobs)))
        return Row(parallel, own, self._processor() - before, time.time() - began)

    def one_job(self) -> float:
        """Runs a job, and returns the endpoint's overhead in seconds."""
        with self._lock:
            name, sleep = f"job-{next(self._numbers)}", self._random.uniform(*SLEEP)
        asked = time.time()
        self.sagemaker.create_training_job(**request(name, sleep, self._times))
        time.sleep(sleep)
        while True:
            time.sleep(0.3)
            job = self.sagemaker.describe_training_job(TrainingJobName=name)
            if job["TrainingJobStatus"] != "InProgress":
                break
        assert job["TrainingJobStatus"] == "Completed", job
        began, ended = map(int, (self._times / name).read_text().split())
        own: float = job["TrainingEndTime"].timestamp() - asked - (ended - began) / 1e9
        return own

    def _processor(self) -> float:
        """Seconds of processor time that the server has used, without its children."""
        times = self._server.cpu_times()
        return times.user + times.system


def request(name: str, sleep: float, times: Path) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train/"}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": "sleeper",
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": "loss", "Regex": "loss: ([0-9.]+)"},
                {"Name": "accuracy", "Regex": "accuracy: ([0-9.]+)"},
            ],
        },
        "RoleArn": "arn:aws:iam::000000000000:role/bench",
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "Environment": {"SECONDS_TO_SLEEP": f"{sleep:.3f}", "TIMES": str(times)},
    }


@contextmanager
def bench(rules: int) -> Iterator[Bench]:
    """A fresh endpoint with `rules` EventBridge rules on training jobs' changes, each with a queue."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        image, times = root / "image", root / "times"
        image.mkdir()
        times.mkdir()
        (image / "Dockerfile").write_text(DOCKERFILE)
        (image / "entry.sh").write_text(ENTRY)
        home = Home(root / "home")
        options = ["--no-template", "--image", f"sleeper={image}"]
        with served(home, 0, options) as cloud:
            process = json.loads((home.path / "cloud.json").read_text())["pid"]
            aws = LocalAws.of(cloud)
            made = Bench(aws, psutil.Process(process), times)
            add_rules(aws, rules)
            yield made


def add_rules(aws: LocalAws, count: int) -> None:
    events, sqs = aws.client("events"), aws.client("sqs")
    for number in range(count):
        sqs.create_queue(QueueName=f"changes-{number}")
        arn = f"arn:aws:sqs:us-east-1:000000000000:changes-{number}"
        pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Training Job State Change"]}
        events.put_rule(Name=f"changes-{number}", EventPattern=json.dumps(pattern))
        events.put_targets(Rule=f"changes-{number}", Targets=[{"Id": "queue", "Arn": arn}])


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parallel", type=int, nargs="+", default=[1, 2, 16])
    parser.add_argument("--jobs", type=int, default=12, help="jobs for each parallel client, at most 96 in all")
    parser.add_argument("--rules", type=int, default=1, help="EventBridge rules that match every change")
    arguments = parser.parse_args()
    head = [
        "in parallel",
        "jobs",
        "overhead in ms, median",
        "middle half",
        "95 %",
        "maximum",
        "server's CPU ms per job",
        "CPU",
    ]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    with bench(arguments.rules) as made:
        made.one_job()
        rows = [made.measure(parallel, min(96, arguments.jobs * parallel)) for parallel in arguments.parallel]
    lines += [row.cells() for row in rows]
    sys.stdout.write(HEADING + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")


if __name__ == "__main__":
    main()
