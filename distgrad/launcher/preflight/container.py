"""Is this a container? What mends a setting there is an option of the program that started it."""

import os
from collections.abc import Mapping
from pathlib import Path


def container(root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> str | None:
    """Returns ``"kubernetes"``, ``"podman"`` or ``"docker"``; None outside of containers.

    Example:
        >>> container(environment={"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
        'kubernetes'
    """
    if "KUBERNETES_SERVICE_HOST" in environment:
        return "kubernetes"
    if (root / "run/.containerenv").exists():
        return "podman"
    return "docker" if (root / ".dockerenv").exists() else None


def remedy(option: str, kubernetes: str, otherwise: str, where: str | None) -> str:
    """Returns what mends a setting in a container of the kind ``where``, or outside of one.

    Args:
        option: the option of ``docker run`` and ``podman run``.
        kubernetes: the lines of a pod's description.
        otherwise: the command outside of containers.
        where: from `container`.

    Example:
        >>> remedy("--shm-size=1g", "...", "sudo mount -o remount,size=1g /dev/shm", "podman")
        'podman run --shm-size=1g ...'
    """
    if where is None:
        return otherwise
    return kubernetes if where == "kubernetes" else f"{where} run {option} ..."
