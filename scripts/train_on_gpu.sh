#!/usr/bin/env bash
# Trains the bundled model further on a card that is at hand for a quarter of an hour, on a machine without a network.
#
#   scripts/train_on_gpu.sh --prepare     where there is a network: what the run needs goes into .gpu/
#   OUT=FOLDER scripts/train_on_gpu.sh    on the card, .gpu/ carried along: 7 minutes of training, about 9 in all
#   scripts/train_on_gpu.sh --rehearse    both on this CPU with a tiny budget, in a temporary folder
#
# OUT gets the weights (cat OUT/mini.tar.* | tar x), the numbers and sheets of pictures. PYTHON names the interpreter.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-}
if [ -z "$python" ]; then
    python=$root/.venv/bin/python
    [ -x "$python" ] || python=python3
elif [[ $python == */* ]]; then
    python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python")
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
carried=$root/.gpu
options=()
case "${1:-}" in
    --prepare) (cd "$root/backend" && exec "$python" -m training.short_run prepare --carried "$carried"); exit ;;
    --rehearse)
        carried=$work/gpu OUT=${OUT:-$work/out} options=(--rehearse)
        (cd "$root/backend" && exec "$python" -m training.short_run prepare --carried "$carried")
        ;;
    "") : "${OUT:?names the folder for the weights and figures}" ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
if [ ! -d "$carried" ]; then
    echo "$carried is missing: run scripts/train_on_gpu.sh --prepare where there is a network, and carry it along" >&2
    exit 1
fi
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
"$python" -m pip install --quiet --no-index --no-deps --target "$work/site" "$carried"/wheels/*.whl
cd "$root/backend"
PYTHONPATH=$work/site PYTHONUNBUFFERED=1 "$python" -m training.short_run run \
    --carried "$carried" --work "$work/training" --out "$OUT" ${options[@]+"${options[@]}"}
ls -l "$OUT"
