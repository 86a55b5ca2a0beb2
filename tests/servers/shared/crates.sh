#!/bin/sh
# crates.sh Cargo.lock CRATE...: the versions of these crates in the lock file, a line each, name first.
lock=$1
shift
rustc --version | awk '{ print $1, $2 }'
for crate in "$@"; do
    awk -v crate="$crate" '$1 == "name" && $3 == "\"" crate "\"" { getline; gsub(/"/, ""); print crate, $3 }' "$lock"
done
