"""Reads every bronze object with fastparquet, and compares its rows with the object's name."""

import pathlib
import re
import sys

from fastparquet import ParquetFile

COLUMNS = ["stream", "shard", "sequence_number", "partition_key", "arrived_at", "payload"]
NAME = re.compile(r"(\d{56})-(\d{56})-(\d+)-[0-9a-f]{16}\.parquet")


def problem(path: pathlib.Path) -> str | None:
    first, last, count = NAME.fullmatch(path.name).groups()
    rows = ParquetFile(str(path)).to_pandas()
    if list(rows.columns) != COLUMNS:
        return f"columns {list(rows.columns)}"
    if len(rows) != int(count):
        return f"{len(rows)} rows, not {count}"
    numbers = [number.zfill(56) for number in rows["sequence_number"]]
    if [numbers[0], numbers[-1]] != [first, last]:
        return f"sequence numbers {numbers[0]} to {numbers[-1]}"
    if not all(isinstance(payload, bytes) and payload for payload in rows["payload"]):
        return "a payload without bytes"
    return None


objects = sorted(pathlib.Path(sys.argv[1]).rglob("*.parquet"))
problems = [f"{path}: {found}" for path in objects if (found := problem(path))]
print(f"bronze: {len(objects)} objects read with fastparquet")
for sentence in problems:
    print(sentence, file=sys.stderr)
sys.exit(1 if problems or not objects else 0)
