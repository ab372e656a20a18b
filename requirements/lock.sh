#!/bin/sh
# Compile the lock files from pyproject.toml and requirements/*.in.
#
#   requirements/lock.sh           write them, keeping every pin that still holds
#   requirements/lock.sh --check   write nothing; fail where a lock file is out of date
#
# UPGRADE=1 takes the newest versions instead of the pins there are.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=requirements/uv.sh
. requirements/uv.sh
out=requirements
if [ "${1:-}" = --check ]; then
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
    cp requirements/*.txt "$out" # uv keeps the pins of the file it writes to
fi

compile() {
    lock=$1 && shift
    printf '  %s\n' "$lock"
    # shellcheck disable=SC2086  # UPGRADE is a flag or nothing
    "$uv" pip compile -q --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-annotate --no-header ${UPGRADE:+--upgrade} -o "$out/$lock" "$@"
}

# PyTorch's CPU build: from the folder that pip is told to look in, else from PyTorch's own index.
torch_from() {
    if [ -n "${PIP_FIND_LINKS:-}" ]; then
        echo "--no-emit-find-links --find-links $PIP_FIND_LINKS"
    else
        echo "--torch-backend cpu"
    fi
}
with_torch="--python-platform linux --no-emit-package torch --overrides requirements/overrides.txt $(torch_from)"

compile uv.txt --universal requirements/uv.in
compile lambda.txt --universal pyproject.toml
compile dev.txt --universal pyproject.toml --group dev
compile jobs.txt --universal --group jobs
# shellcheck disable=SC2086  # lists of words on purpose
compile engine.txt $with_torch requirements/engine.in
# shellcheck disable=SC2086
compile models.txt $with_torch requirements/models.in
# shellcheck disable=SC2086
compile peers.txt $with_torch requirements/peers.in

if [ "$out" = requirements ]; then
    cp requirements/lambda.txt api/requirements.txt # what Chalice's packager reads
    exit
fi
stale=0
for lock in uv lambda dev jobs peers engine models; do
    diff -q "requirements/$lock.txt" "$out/$lock.txt" >/dev/null || {
        echo "lock: requirements/$lock.txt is out of date: run 'make lock'" >&2
        stale=1
    }
done
cmp -s requirements/lambda.txt api/requirements.txt || {
    echo "lock: api/requirements.txt differs from requirements/lambda.txt: run 'make lock'" >&2
    stale=1
}
exit "$stale"
