#!/usr/bin/env bash
# Spoils the engine in one way at a time and says what finds it out. Each patch beside this file begins with the rule
# that it breaks and with what catches it:
#
#     Rule: no write has Google mail to guests.
#     Caught by: test google_client no_write_has_google_mail_to_guests
#
# `test TARGET NAME` is a test of that target, `unit PACKAGE NAME` a unit test of that package, and `histories` stands for
# random histories, at most SEEDS of them, or as many as a line `Within:` allows. `run.sh [NAME…]` tries these mutants
# alone; `run.sh --check` tries none, and says in a second whether each applies and whether the test that it names is
# there.
set -euo pipefail
shopt -s nullglob

mutants=$(cd "$(dirname "$0")" && pwd -P)
root=$(cd "$mutants/../../.." && pwd -P)
seeds=${SEEDS:-800}
passed=0 failed=0

field() { # of a patch
  sed -n "1,/^diff /s/^$1: //p" "$mutants/$2.patch"
}

# The folders or files that hold the tests of a target, or the unit tests of a package.
sources() {
  case $1 in
    test) printf '%s\n' {tests,tests/convergence,tests/google-sim,infra/local,functions}/tests/{"$2","$2.rs"} ;;
    unit) for manifest in {shared,functions,infra/local,tests,tests/convergence,tests/google-sim}/Cargo.toml; do
        if grep --quiet "^name = \"$2\"$" "$manifest"; then echo "${manifest%/*}/src"; fi
      done ;;
  esac
}

# Why a mutant cannot be tried; nothing if it can.
flaw() {
  local catcher kind target test places
  catcher=$(field 'Caught by' "$1")
  if [[ -z $(field Rule "$1") ]]; then echo "names no rule"; fi
  if ! git apply --check "$mutants/$1.patch" 2>/dev/null; then echo "does not apply"; fi
  read -r kind target test <<<"$catcher"
  if [[ $catcher == histories ]]; then return; fi
  mapfile -t places < <(sources "$kind" "$target" | while read -r place; do if [[ -e $place ]]; then echo "$place"; fi; done)
  # (A rule of the store's contract stands in a list, and is a test on each store.)
  test="(fn |^ *)${test%%::*}\b"
  if ((!${#places[@]})) || ! grep --recursive --quiet --extended-regexp "$test" "${places[@]}"; then
    echo "no such test: $catcher"
  fi
}

if [[ ${1-} == --check ]]; then
  cd "$root"
  for patch in "$mutants"/*.patch; do
    name=$(basename "$patch" .patch)
    flaw=$(flaw "$name")
    if [[ -n $flaw ]]; then
      echo "$name: ${flaw//$'\n'/; }"
      ((++failed))
    else
      ((++passed))
    fi
  done
  echo "$passed mutants apply and are caught by what is there, $failed are not"
  exit $((failed > 0))
fi

# What was built for one mutant serves the next.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/mutants}
tree=$CARGO_TARGET_DIR/tree
log=$CARGO_TARGET_DIR/log
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

cargo=${CARGO:-cargo}

# Builds what is to catch a mutant.
build() {
  case $1 in
    # With the features that tests have, so that no crate is built twice.
    histories) "$cargo" build --quiet --locked --workspace --bin convergence --test convergence ;;
    test) "$cargo" test --quiet --locked --workspace --test "$2" --no-run ;;
    unit) "$cargo" test --quiet --locked --package "$2" --lib --no-run ;;
  esac >"$log" 2>&1
}

# Answers 0 if nothing was found to be wrong, 1 if something was, and another if it never came to that; and says what.
try() { # at most so many histories, or the test that follows
  local within=$1 kind=$2 code=0
  shift
  case $kind in
    histories)
      timeout 900 "$CARGO_TARGET_DIR/debug/convergence" --catch "0..$within" 2>"$log"
      return ;;
    test) timeout 300 "$cargo" test --quiet --locked --workspace --test "$2" "$3" >"$log" 2>&1 || code=$? ;;
    unit) timeout 300 "$cargo" test --quiet --locked --package "$2" --lib "$3" >"$log" 2>&1 || code=$? ;;
  esac
  # A test that hangs has noticed something, too.
  if ((code == 124)); then echo "by $2, $3, which does not end"; return 1; fi
  grep --quiet '^running 1 test$' "$log" || { echo "$2 has not one test $3"; return 2; }
  if ((code)); then echo "by $2, $3"; return 1; else echo "$2, $3 sees nothing"; fi
}

verdict() { # of a mutant that is planted
  local catcher found within code=0
  within=$(field Within "$1")
  read -r -a catcher <<<"$(field 'Caught by' "$1")"
  build "${catcher[@]}" || { echo "DOES NOT COMPILE $1: see $log"; return; }
  found=$(try "${within:-$seeds}" "${catcher[@]}") || code=$?
  case $code in
    0) echo "SURVIVED $1: $found" ;;
    1) echo "caught $1 $found" ;;
    *) echo "BROKE THE TEST $1: $found" ;;
  esac
}

(($#)) || set -- $(cd "$mutants" && printf '%s\n' *.patch)
set -- "${@%.patch}"

# All that is to catch a mutant finds nothing where none is.
for name; do field 'Caught by' "$name"; done | sort --unique | while read -r -a catcher; do
  build "${catcher[@]}" || { cat "$log" >&2; exit 1; }
  found=$(try "$seeds" "${catcher[@]}") || { echo "Without a mutant: $found"; exit 1; }
done

for name; do
  flaw=$(flaw "$name")
  if [[ -n $flaw ]]; then
    said="FLAWED $name: ${flaw//$'\n'/; }"
  else
    git apply "$mutants/$name.patch"
    said=$(verdict "$name")
    git apply --reverse "$mutants/$name.patch"
  fi
  echo "$said"
  if [[ $said == caught* ]]; then ((++passed)); else ((++failed)); fi
done

echo "$passed passed, $failed failed"
((failed == 0))
