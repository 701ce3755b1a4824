#!/bin/sh
# Makes a Delta table with the project's own code and reads every version of it with delta-rs.
# Before that, cfn-lint judges the templates, Trino answers what DuckDB answers, and clients of gold connect.
# Exit code 0: equal, or skipped because Python or PyPI is not there; 1: a difference.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)

sh "$here/cfn-lint.sh"
sh "$here/trino/run.sh"
# Gold is read as people read it, with the credentials that are printed for their tools.
sh "$here/bi-clients/run.sh"

packages="deltalake==1.6.1 pyarrow==22.0.0 fastparquet==2026.9.0"
environment="${XDG_CACHE_HOME:-${TMPDIR:-/tmp}}/pizza-interop-venv"

skip() {
  echo "skipped: $1"
  exit 0
}

python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || skip "Python 3.10 or later is not here"
if ! "$environment/bin/python" -c 'import deltalake, fastparquet, pyarrow' 2>/dev/null; then
  python3 -m venv "$environment" 2>/dev/null || skip "python3 -m venv does not work here"
  # shellcheck disable=SC2086
  "$environment/bin/pip" install --quiet --disable-pip-version-check $packages || skip "pip could not install $packages"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$project/node_modules/.bin/node" "$here/make-table.ts" "$work/lake" >"$work/expected"
table="$work/lake/silver/order_lines"
ls "$table"/_delta_log/*.checkpoint.parquet >/dev/null

# Its columns grow on the way: the first versions have no tips.
while read -r version rows sums; do
  # shellcheck disable=SC2046,SC2086
  "$environment/bin/python" "$here/delta_rs.py" "$table" --version "$version" \
    --expect-rows "$rows" $(printf -- '--expect-sum %s ' $sums)
done <"$work/expected"
tail -n 1 "$work/expected" | while read -r version rows sums; do
  # shellcheck disable=SC2046,SC2086
  "$environment/bin/python" "$here/delta_rs.py" "$table" --expect-rows "$rows" $(printf -- '--expect-sum %s ' $sums)
done

# What the pipeline itself makes of the classic year.
"$project/node_modules/.bin/node" "$project/bin/pizza.ts" demo --dir "$work/home" >"$work/demo.log" 2>&1 || { cat "$work/demo.log"; exit 1; }
"$environment/bin/python" "$here/delta_rs.py" "$work/home/lake/silver/order_lines" \
  --expect-rows 48620 --expect-sum revenue_cents=81786005

# A reader without the newer encodings of Parquet reads bronze.
"$environment/bin/python" "$here/fastparquet_bronze.py" "$work/home/lake/bronze"
