#!/bin/sh
# Checks the Power BI project beyond the suite: its files by Microsoft's schemas where POWER_BI_SCHEMAS names their
# folder, its model by Microsoft's TMDL parser, and each measure's DAX on the classic year against its SQL.
# Exit code 0: all is well, or a part was skipped because Python, PyPI or npm is not there; 1: a difference.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
node="$project/node_modules/.bin/node"
packages="pbix-mcp==0.9.149"
parser="@microsoft/powerbi-modeling-mcp@0.5.0-beta.13"
environment="${XDG_CACHE_HOME:-${TMPDIR:-/tmp}}/pizza-powerbi-venv"
tools="${XDG_CACHE_HOME:-${TMPDIR:-/tmp}}/pizza-powerbi-tools"
measures=$(grep -c '	measure ' "$project/powerbi/pizza-sales.SemanticModel/definition/tables/Measures.tmdl")

if [ -n "${POWER_BI_SCHEMAS:-}" ]; then
  "$node" "$project/node_modules/vitest/vitest.mjs" run test/bi/power-bi-project.test.ts
else
  echo "skipped: Microsoft's schemas, because POWER_BI_SCHEMAS names no folder (github.com/microsoft/json-schemas)"
fi

python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { echo "skipped: Python 3.10 or later is not here"; exit 0; }

# A preview with terms that allow development and tests; not part of this project, and for Linux on x64 here.
if npm install --silent --no-audit --no-fund --prefix "$tools" "$parser" >/dev/null 2>&1; then
  program=$(find "$tools" -path '*linux-x64/dist/powerbi-modeling-mcp' | head -n 1)
fi
if [ -n "${program:-}" ]; then
  python3 "$here/check_tmdl.py" "$program" "$project/powerbi/pizza-sales.SemanticModel/definition" "$measures"
else
  echo "skipped: Microsoft's TMDL parser, because npm has no $parser for this machine"
fi

if ! "$environment/bin/python" -c 'import pbix_mcp' 2>/dev/null; then
  python3 -m venv "$environment" 2>/dev/null || { echo "skipped: python3 -m venv does not work here"; exit 0; }
  "$environment/bin/pip" install --quiet --disable-pip-version-check "$packages" ||
    { echo "skipped: pip could not install $packages"; exit 0; }
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$node" "$project/bin/pizza.ts" demo --dir "$work/home" >"$work/demo.log" 2>&1 || { cat "$work/demo.log"; exit 1; }
"$node" "$here/export-gold.ts" "$work/home" "$work/gold.json"
"$environment/bin/python" "$here/check_dax.py" "$work/gold.json"
