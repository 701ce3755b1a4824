#!/bin/sh
# Asks Trino, the engine under Athena, and DuckDB the same: every lake SQL file, at several versions of a silver table
# that the project's own code wrote, through the adapter and the Glue tables that are deployed.
# Needs Java 17 to 21, Maven and Maven Central; 600 MB in the cache folder at the first run.
# Exit code 0: equal, or skipped because one of these is not there; 1: a difference.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../../.." && pwd)
trino=435
cache="${XDG_CACHE_HOME:-${TMPDIR:-/tmp}}/pizza-interop-trino-$(cksum <"$here/pom.xml" | cut -d" " -f1)"

skip() {
  echo "skipped: $1"
  exit 0
}

maven() {
  mvn --quiet --batch-mode --file "$here/pom.xml" "-Dmaven.repo.local=$cache/repository" "$@" >"$cache/maven.log" 2>&1
}

java=$(javac -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')
test "${java:-0}" -ge 17 -a "${java:-0}" -le 21 || skip "a Java compiler of 17 to 21 is not here"
command -v mvn >/dev/null || skip "Maven is not here"

mkdir -p "$cache"
if ! test -e "$cache/complete"; then
  plugin=org.apache.maven.plugins:maven-dependency-plugin:3.6.1
  maven "$plugin:build-classpath" "-Dmdep.outputFile=$cache/classpath" &&
    maven "$plugin:unpack" "-Dartifact=io.trino:trino-hive:$trino:zip" "-DoutputDirectory=$cache/hive" ||
    skip "Maven could not get Trino $trino (see $cache/maven.log)"
  touch "$cache/complete"
fi

classpath="$cache/classes:$(cat "$cache/classpath"):$cache/hive/trino-hive-$trino/*"
javac -nowarn -d "$cache/classes" -cp "$classpath" "$here/TrinoServer.java"
"$project/node_modules/.bin/node" "$here/check-trino.ts" "$classpath"
