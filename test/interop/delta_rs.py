"""Opens a Delta table with delta-rs and pyarrow, and checks what one version of it holds."""

import argparse
import os
import sys

import pyarrow.compute as compute
from deltalake import DeltaTable


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", help="folder of the table")
    parser.add_argument("--version", type=int, help="default: the newest")
    parser.add_argument("--expect-rows", type=int)
    parser.add_argument("--expect-sum", action="append", default=[], metavar="COLUMN=SUM")
    options = parser.parse_args()
    table = DeltaTable(options.table, version=options.version)
    data = table.to_pyarrow_table()
    found = [("rows", data.num_rows, options.expect_rows)]
    for expected in options.expect_sum:
        column, value = expected.split("=")
        found.append((column, compute.sum(data[column]).as_py(), int(value)))
    for name, value, expected in found:
        if expected is not None and value != expected:
            print(f"version {table.version()}: {name} is {value}, not {expected}", file=sys.stderr)
            return 1
    print(f"version {table.version()}: " + ", ".join(f"{name} {value}" for name, value, _ in found))
    return 0


code = main()
sys.stdout.flush()
# The two libraries' threads may still run: an ordinary exit of the interpreter now and then aborts on them.
os._exit(code)
