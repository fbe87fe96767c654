"""`python -m distgrad`: the command line."""

from distgrad.cli import entry_point

if __name__ == "__main__":
    entry_point()
