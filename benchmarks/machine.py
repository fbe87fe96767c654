"""What a result was measured on."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, system, load and commit, as far as the system tells."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _cpu_name(),
        "cores": usable,
        "simd": _simd(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "libc": " ".join(platform.libc_ver()).strip(),
        "load_before": round(os.getloadavg()[0], 2),
        "commit": _commit(),
    }


def _cpuinfo(key: str) -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _cpu_name() -> str:
    name = _cpuinfo("model name")
    if not name:
        return platform.processor() or platform.machine()
    # Virtual machines often say no more than the maker; family and model tell the generation.
    family, model = _cpuinfo("cpu family"), _cpuinfo("model\t")
    return f"{name} family {family} model {model}"


def _simd() -> str:
    flags = _cpuinfo("flags").split()
    return next((flag for flag in ("avx512f", "avx2", "avx") if flag in flags), platform.machine())


def _commit() -> str:
    git = ["git", "-C", str(HERE), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
