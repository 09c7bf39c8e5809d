"""A CSV that this program wrote, as Parquet.

By way of the CSV, since pyarrow reads that by itself, while arrays of Python values make it load pandas where there is one.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path


def csv_to_parquet(table: Path, out: Path, texts: Collection[str], whole: Collection[str] = ()) -> None:
    """Copy the table to `out`: of its columns those in `texts` are texts, those in `whole` whole numbers, the others numbers."""
    import pyarrow  # only those who want Parquet pay for it
    from pyarrow import csv as arrow_csv
    from pyarrow import parquet

    with table.open(newline="", encoding="utf-8") as file:
        names = next(csv.reader(file))
    types = {name: pyarrow.float64() for name in names}
    types |= {name: pyarrow.string() for name in texts} | {name: pyarrow.int64() for name in whole}
    reader = arrow_csv.open_csv(
        table,
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(column_types=types),
    )
    with reader, parquet.ParquetWriter(out, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
