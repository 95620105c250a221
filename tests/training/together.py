"""Starts a module as several processes: with the environment that launchers give, or by accelerate's launcher."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEADLINE = 300
"""Seconds after which a run that waits for ever is killed."""


def environment(**more: str) -> dict[str, str]:
    """The environment of a worker: this checkout on the path, one thread each."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", **more}


def start(module: str, *arguments: object, count: int = 2) -> list[subprocess.Popen[str]]:
    """`python -m module arguments` as `count` processes of one run."""
    port = str(free_port())
    return [
        subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            env=environment(
                RANK=str(index), LOCAL_RANK=str(index), WORLD_SIZE=str(count), LOCAL_WORLD_SIZE=str(count),
                MASTER_ADDR="127.0.0.1", MASTER_PORT=port,
            ),
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for index in range(count)
    ]  # fmt: skip


def finish(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """Exit code and standard error of each."""
    try:
        told = [process.communicate(timeout=DEADLINE) for process in processes]
        return [(process.returncode, errors) for process, (_, errors) in zip(processes, told, strict=True)]
    finally:
        for process in processes:
            process.kill()


def together(module: str, *arguments: object, count: int = 2) -> list[tuple[int, str]]:
    """`start`, then `finish`."""
    return finish(start(module, *arguments, count=count))


# --multi_gpu is the launcher's word for several processes, whatever they run on.
LAUNCH = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1",
          "--mixed_precision", "no", "--dynamo_backend", "no"]  # fmt: skip


def launch(module: str, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """`accelerate launch --num_processes 2 -m module arguments`. more: environment variables."""
    command = [sys.executable, *LAUNCH, "--main_process_port", str(free_port()), "-m", module, *map(str, arguments)]
    return subprocess.run(command, env=environment(**more), cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE)


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
