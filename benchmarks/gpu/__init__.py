"""What can be known only on a machine with a GPU, by one command: python -m benchmarks.gpu."""
