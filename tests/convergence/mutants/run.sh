#!/usr/bin/env bash
# Plays histories against mutants: each patch beside this file spoils the engine in one way, and the simulation is worth
# something only if it finds every one out. `run.sh [NAME…]` plays these mutants alone; `SEEDS` says how many histories
# each may take.
set -euo pipefail

mutants=$(cd "$(dirname "$0")" && pwd -P)
root=$(cd "$mutants/../../.." && pwd -P)
seeds=${SEEDS:-2000}
# What was built for one mutant serves the next.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/mutants}
tree=$CARGO_TARGET_DIR/tree
log=$CARGO_TARGET_DIR/build.log
# The copy is no part of the repository that it stands in.
export GIT_CEILING_DIRECTORIES=$CARGO_TARGET_DIR

# A copy of the working tree. What is in it already and has not changed stays, so that it is not built anew.
mkdir -p "$tree"
cd "$root"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  cmp --quiet "$file" "$tree/$file" || cp --parents "$file" "$tree"
done
cd "$tree"
# What has gone since goes from the copy.
find . -type f -printf '%P\0' | while IFS= read -r -d '' file; do
  [[ -e $root/$file ]] || rm "$file"
done

build() {
  "${CARGO:-cargo}" build --quiet --locked --package convergence 2>"$log" || { cat "$log" >&2; return 1; }
}

# Says whether a seed failed, and which: the answer is 1 if so, 0 if none did, and another if it never came to that.
play() {
  timeout 900 "$CARGO_TARGET_DIR/debug/convergence" --catch "0..$seeds"
}

build
found=$(play) || { echo "The simulation fails without a mutant: $found"; exit 1; }
echo "unspoilt: $found"

(($#)) || set -- $(cd "$mutants" && printf '%s\n' *.patch)
passed=0 failed=0
for name; do
  name=${name%.patch}
  patch=$mutants/$name.patch
  if ! git apply "$patch"; then
    echo "DOES NOT APPLY $name"
    ((++failed))
    continue
  fi
  if ! build; then
    verdict="DOES NOT COMPILE $name"
  else
    found=$(play) && code=0 || code=$?
    case $code in
      0) verdict="SURVIVED $name: $found" ;;
      1) verdict="caught $name $found" ;;
      *) verdict="BROKE THE SIMULATION $name" ;;
    esac
  fi
  git apply --reverse "$patch"
  echo "$verdict"
  if [[ $verdict == caught* ]]; then ((++passed)); else ((++failed)); fi
done

echo "$passed passed, $failed failed"
((failed == 0))
