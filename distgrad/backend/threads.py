"""The thread count of the BLAS libraries: it changes the bits of a product, so it is pinned."""

__all__ = ["blas_libraries", "pin_blas_threads"]


def pin_blas_threads() -> None:
    """Set every BLAS library that is loaded to one thread, for the rest of the process.

    Ranks fill the cores; and a product split over threads adds up in another order.

    Raises:
        RuntimeError: If a library keeps more threads than one.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")
    for name, threads in blas_libraries().items():
        if threads != 1:
            raise RuntimeError(
                f"{name} uses {threads} threads and cannot be set to 1; set OPENBLAS_NUM_THREADS=1 "
                "and MKL_NUM_THREADS=1 before Python starts"
            )


def blas_libraries() -> dict[str, int]:
    """Return the BLAS builds that are loaded, with architecture and version, and their threads."""
    from threadpoolctl import threadpool_info

    libraries: dict[str, int] = {}
    for library in threadpool_info():
        if library["user_api"] == "blas":
            parts = [library.get(key) for key in ("internal_api", "version", "architecture")]
            name = " ".join(str(part) for part in parts if part)
            # NumPy and SciPy each bring a copy of one build: the one with more threads counts.
            libraries[name] = max(library["num_threads"], libraries.get(name, 0))
    return libraries
