#!/usr/bin/env bash
# The whole way on the photographs here: words -> artificial images -> an adapted model -> masks -> numbers -> a page.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
words=examples/categories.txt

run() { printf '\n\033[1m$ %s\033[0m\n' "$*" >&2; "$@"; }

mkdir -p demo
run ifseg vocab "$words" --out demo/vocabulary.json --overwrite
run ifseg synth "$words" --out demo/synth --overwrite
run ifseg adapt --categories "$words" --out demo/model --overwrite
run ifseg predict examples/photos --model demo/model --out demo/masks --overwrite
run ifseg evaluate --dataset folder --images examples/photos --labels examples/labels --classes "$words" \
  --model demo/model --out demo/evaluation --overwrite
run python examples/demo_page.py demo
