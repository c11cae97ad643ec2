"""Normalise and SHA-256 of 5 million e-mails by both platforms' rules, against Google's formatter in a loop.

Run by hand: ``python tests/benchmarks/bench_hash.py [--rows 5000000]``. The
bar: at least 4 x the rate of the official formatter; the share of what
``openssl speed -bytes 32 sha256`` reaches on the same core is printed too.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

import polars as pl

ROOT = Path(__file__).parents[2]
FORMATTER_ROWS = 200_000


def emails(rows: int) -> pl.Series:
    """Mixed case, outer blanks, one in five at Gmail with dots and a tag: about 37 bytes each."""
    number = pl.int_range(rows, dtype=pl.Int64).cast(pl.String)
    gmail = pl.concat_str(pl.lit(" First.Last"), number, pl.lit("+News.Letter@GMail.com "))
    plain = pl.concat_str(pl.lit("First.Last"), number, pl.lit("@Some-Company.Example.com"))
    return pl.select(pl.when(pl.int_range(rows) % 5 == 0).then(gmail).otherwise(plain).alias("v")).to_series()


def openssl_rate() -> float | None:
    """Hashes per second of 32-byte inputs on one core, as OpenSSL measures it; None without it."""
    try:
        command = ["openssl", "speed", "-bytes", "32", "-seconds", "1", "sha256"]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"sha256\s+([\d.]+)k", out)
    return float(found[1]) * 1000 / 32 if found else None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    rows = parser.parse_args().rows

    from google.ads.datamanager_util import Formatter
    from google.ads.datamanager_util.format import Encoding

    from audiences.identity_bulk import hash_many

    values = emails(rows)
    sample = values.head(FORMATTER_ROWS).to_list()
    formatter, start, cpu = Formatter(), time.perf_counter(), time.process_time()
    expected = [formatter.process_email_address(text, Encoding.HEX) for text in sample]
    official = len(sample) / (time.perf_counter() - start)
    official_cpu = len(sample) / (time.process_time() - cpu)
    speed = openssl_rate()
    print(f"official formatter in a loop: {official / 1e6:.2f} M rows/s")
    for platform in ("google", "linkedin"):
        start, cpu = time.perf_counter(), time.process_time()
        hashed = hash_many(platform, "email", values)
        rate = rows / (time.perf_counter() - start)
        per_core = rows / (time.process_time() - cpu) / official_cpu
        assert hashed.null_count() == 0
        if platform == "google":
            assert hashed.head(len(sample)).to_list() == expected
        share = f", {rate / speed:.2f} of openssl on one core" if speed else ""
        times = f"{rate / official:.1f} x the formatter, {per_core:.1f} x by CPU"
        print(f"{platform}: {rate / 1e6:.2f} M rows/s, {times}{share}")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
