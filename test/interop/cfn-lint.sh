#!/bin/sh
# Judges the CloudFormation templates of every environment with cfn-lint.
# Exit code 0: no finding, or skipped because Python or PyPI is not there; 1: a finding.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
package="cfn-lint==1.58.0"
environment="${XDG_CACHE_HOME:-${TMPDIR:-/tmp}}/pizza-cfn-lint-venv"

skip() {
  echo "cfn-lint skipped: $1"
  exit 0
}

python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || skip "Python 3.10 or later is not here"
if ! "$environment/bin/cfn-lint" --version >/dev/null 2>&1; then
  python3 -m venv "$environment" 2>/dev/null || skip "python3 -m venv does not work here"
  "$environment/bin/pip" install --quiet --disable-pip-version-check "$package" || skip "pip could not install $package"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$project"
for name in dev staging prod localstack; do
  PATH="$project/node_modules/.bin:$PATH" cdk synth --quiet -c env="$name" --output "$work/$name" >"$work/$name.log" 2>&1 || {
    cat "$work/$name.log"
    exit 1
  }
  # W3005: CDK writes out dependencies that its references imply already.
  "$environment/bin/cfn-lint" --ignore-checks W3005 -- "$work/$name"/*.template.json
  echo "cfn-lint: nothing found in the templates of $name"
done
