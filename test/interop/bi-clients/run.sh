#!/bin/sh
# Connects to gold of a running local pipeline with what `./pizza credentials --for` prints: SQLAlchemy, dbt and JDBC.
# Each reads the classic year's revenue from the star, and cannot write.
# Exit code 0: all could, or one was skipped because Python, PyPI, Java or Maven is not there; 1: a difference.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../../.." && pwd)
# The newest dbt-core downloads a part of itself from GitHub, which a build machine may not reach.
packages="sqlalchemy==2.1.9 psycopg[binary]==3.3.9 dbt-core==1.9.8 dbt-postgres==1.9.0"
driver=org.postgresql:postgresql:42.7.14
cache="${XDG_CACHE_HOME:-${TMPDIR:-/tmp}}/pizza-interop-bi-clients"

work=$(mktemp -d)
pizza() {
  "$project/node_modules/.bin/node" "$project/bin/pizza.ts" "$@" --dir "$work/home"
}
trap 'pizza stop >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
{ pizza demo && pizza start; } >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }

python() {
  if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    echo "skipped: SQLAlchemy and dbt, because Python 3.10 or later is not here"
    return
  fi
  if ! "$cache/venv/bin/python" -c 'import dbt, psycopg, sqlalchemy' 2>/dev/null; then
    # shellcheck disable=SC2086
    { python3 -m venv "$cache/venv" && "$cache/venv/bin/pip" install --quiet --disable-pip-version-check $packages; } ||
      { echo "skipped: SQLAlchemy and dbt, because pip could not install $packages"; return; }
  fi
  "$cache/venv/bin/python" "$here/check_sqlalchemy.py" "$(pizza credentials --for sqlalchemy)"
  mkdir -p "$work/dbt"
  pizza credentials --for dbt >"$work/dbt/profiles.yml"
  printf 'name: pizza_sales\nprofile: pizza_sales\nversion: "1.0"\n' >"$work/dbt/dbt_project.yml"
  DBT_SEND_ANONYMOUS_USAGE_STATS=false "$cache/venv/bin/dbt" --quiet debug --connection \
    --project-dir "$work/dbt" --profiles-dir "$work/dbt" >"$work/dbt/log" 2>&1 || { cat "$work/dbt/log"; exit 1; }
  echo "dbt connects with the printed profile"
}

jdbc() {
  if ! command -v javac >/dev/null || ! command -v mvn >/dev/null; then
    echo "skipped: JDBC, because a Java compiler or Maven is not here"
    return
  fi
  plugin=org.apache.maven.plugins:maven-dependency-plugin:3.6.1
  mvn --quiet --batch-mode "-Dmaven.repo.local=$cache/maven" "$plugin:copy" "-Dartifact=$driver" \
    "-DoutputDirectory=$cache/jdbc" >"$work/maven.log" 2>&1 ||
    { echo "skipped: JDBC, because Maven could not get $driver"; return; }
  answers=$(pizza credentials --for jdbc --json)
  java -cp "$(echo "$cache"/jdbc/postgresql-*.jar)" "$here/CheckJdbc.java" \
    $(echo "$answers" | sed -n 's/.*: "\(.*\)",\{0,1\}$/\1/p')
}

python
jdbc
