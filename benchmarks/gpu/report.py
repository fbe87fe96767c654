"""What the command prints."""

from collections.abc import Mapping
from typing import Any

__all__ = ["heading", "section"]


def heading(result: Mapping[str, Any]) -> str:
    """Return date, device and versions in a line."""
    known = {name: v for name, v in result["versions"].items() if v}
    versions = ", ".join(f"{name} {v}" for name, v in {"cupy": result["cupy"], **known}.items())
    return f"{result['date']}, {result['device']}, CUDA {result['runtime_cuda']}, {versions}"


def section(name: str, found: Mapping[str, Any]) -> str:
    """Return what a section found."""
    verdict = "ok" if found["ok"] else "NOT OK"
    lines = [f"\n{name}: {verdict} ({found['seconds']} s)"]
    if "error" in found:
        lines.append(f"  {found['error']}")
    if "rows" in found:
        lines += _table(found["rows"])
    for kernel, distances in found.get("distances", {}).items():
        told = ", ".join(f"{dtype} {far:.0e}" for dtype, far in distances.items())
        lines.append(f"  {kernel:24} {told}")
    lines += [f"  wrong: {line}" for line in found.get("wrong", ())]
    lines += [f"  {split}: {digest}" for split, digest in found.get("weights_sha256", {}).items()]
    if "verdict" in found:
        lines.append(f"  {found['verdict']}")
    return "\n".join(lines)


def _table(rows: list[Mapping[str, Any]]) -> list[str]:
    lines = ["| what | measured | expected |", "|---|---|---|"]
    for row in rows:
        values = row.get("error") or _values(row)
        lines.append(f"| {row['what']} | {values} | {row['expected']} |")
    return lines


def _values(row: Mapping[str, Any]) -> str:
    if "left_out" in row:
        return f"left out: {row['left_out']}"
    return ", ".join(f"{k} {v:.4g}" for k, v in row["values"].items())
