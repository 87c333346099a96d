#!/usr/bin/env bash
# deploy/hooks in a repository of its own, with a formatter that is known: it makes several blanks one.
# usage: hooks_test.sh
set -Eeuo pipefail

hooks=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../deploy/hooks" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# Nothing of the caller's: neither settings nor the repository of a hook that runs the tests.
unset "${!GIT_@}"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com

mkdir "$work/bin"
cat >"$work/bin/clang-format" <<'SH'
#!/bin/sh
case $1 in
  -i) sed -i 's/  */ /g' "$2" ;;
  --assume-filename=*) sed 's/  */ /g' ;;
  *) exit 64 ;;
esac
SH
chmod +x "$work/bin/clang-format"
export PATH=$work/bin:$PATH

git init -q "$work/clone"
cd "$work/clone"
git config core.hooksPath "$hooks"

fail() {
  echo "FAILED: $1" >&2
  failures=$((failures + 1))
}

# accepts WHAT MESSAGE, refuses WHAT MESSAGE COMPLAINT: a commit of everything.
accepts() {
  git add -A
  git commit -q --allow-empty -m "$2" 2>"$work/said" || fail "$1 was refused: $(cat "$work/said")"
}
refuses() {
  git add -A
  before=$(git rev-parse -q --verify HEAD || true)
  if git commit -q --allow-empty -m "$2" 2>"$work/said"; then fail "$1 was accepted"; fi
  [ "$(git rev-parse -q --verify HEAD || true)" = "$before" ] || fail "$1: there is a commit"
  grep -q "$3" "$work/said" || fail "$1: expected '$3', said: $(cat "$work/said")"
}

of_length() { printf "%$1s" '' | tr ' ' x; }
body=$'\n\nBecause.'

# commit-msg
accepts 'a title with a body' "Add a thing$body"
accepts 'a title of 72 characters' "$(of_length 72)$body"
accepts 'a title of 72 characters in 74 bytes' "$(of_length 70)äö$body"
refuses 'a title of 73 characters' "$(of_length 73)$body" 'has 73 characters'
refuses 'no body' 'Add a thing' 'body is missing'
refuses 'a body of comments only' $'Add a thing\n\n# because' 'body is missing'
refuses 'a second line' $'Add a thing\nand another\n\nBecause.' 'second line is not empty'
accepts 'what will be melted away' 'fixup! Add a thing'
printf 'Add a thing\n\n# ------------------------ >8 ------------------------\ndiff\n' >"$work/message"
if "$hooks/commit-msg" "$work/message" 2>/dev/null; then fail 'a difference counts as a body'; fi

# pre-commit
printf 'int a = 1;\n' >tidy.cc
printf 'a  b\n' >text.md
accepts 'formatted sources and other files' "Add sources$body"

printf 'int  a = 2;\n' >tidy.cc
refuses 'a source that is not formatted' "Change it$body" 'formatted tidy.cc'
[ "$(cat tidy.cc)" = 'int a = 2;' ] || fail 'the source was not formatted'
accepts 'the source after adding it again' "Change it$body"

printf 'int  a = 3;\n' >tidy.cc
git add tidy.cc
printf 'int  a = 3;  // more to come\n' >tidy.cc
if git commit -q -m "Change it$body" 2>"$work/said"; then fail 'a source that is half staged was accepted'; fi
grep -q 'not staged' "$work/said" || fail "half staged: said $(cat "$work/said")"
[ "$(cat tidy.cc)" = 'int  a = 3;  // more to come' ] || fail 'what is not staged was formatted'

git add -A && printf 'int a = 3;\n' >tidy.cc && git add tidy.cc
printf 'int  a = 3;\n' >tidy.cc
git commit -q -m "Change it$body" 2>"$work/said" || fail "what is not staged was looked at: $(cat "$work/said")"

printf 'int  b;\n' >'with blank.h'
refuses 'a new header whose name has a blank' "Add it$body" 'formatted with blank.h'
git rm -qf --cached 'with blank.h' && rm 'with blank.h'
git rm -qf tidy.cc
accepts 'a source that goes' "Remove it$body"

mkdir "$work/bare"
ln -s "$(command -v bash)" "$work/bare/bash"
if PATH=$work/bare "$hooks/pre-commit" 2>"$work/said"; then fail 'a machine without clang-format was accepted'; fi
grep -q 'clang-format is missing' "$work/said" || fail "without clang-format: said $(cat "$work/said")"

[ $failures = 0 ] && echo "hooks: all as expected"
exit $((failures > 0))
