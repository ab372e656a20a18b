#!/bin/sh
# Make a virtual environment hold exactly what a lock file names.
#
#   requirements/install.sh ENVIRONMENT LOCK
#
# Where the lock was compiled from a .in file that pins torch, PyTorch's CPU build of
# that version is installed too: from a wheel in $PIP_FIND_LINKS where there is one (its
# tag then decides which Python is used), else from PyTorch's own CPU index. It stays out
# of the lock because the two sources build different files under the same version.
set -eu
environment=$1 lock=$2
here=$(dirname "$0")
# shellcheck source=requirements/uv.sh
. "$here/uv.sh"
say() { printf '  %s\n' "$*"; }

# The first interpreter that really runs, with a module that is needed: a version manager's
# shim may exist and fail, and Debian's Python has no ensurepip without python3-venv.
first_python() {
    module=$1 && shift
    for candidate in "$@"; do
        for path in "$candidate" "${PYENV_ROOT:-/nonexistent}"/versions/"${candidate#python}"*/bin/python; do
            if "$path" -c "import sys, ssl, $module; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
                command -v "$path"
                return
            fi
        done
    done
    echo "setup: no Python 3.11 or newer with the modules ssl and $module found (tried: $*);" \
        "on Debian and Ubuntu: apt install python3-venv" >&2
    exit 1
}

# .venv carries uv; it is made with plain pip, everything else with uv.
if ! { .venv/bin/python -c '' && "$uv" --version; } >/dev/null 2>&1; then
    python=$(first_python ensurepip python3.13 python3.12 python3.11 python3)
    say "making .venv: $("$python" -V)"
    "$python" -m venv --clear .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$here/uv.txt"
fi

pythons="python3.13 python3.12 python3.11 python3"
requirements=$lock
torch_source=
torch=$(sed -n 's/^torch==//p' "${lock%.txt}.in" 2>/dev/null || true)
if [ -n "$torch" ]; then
    pythons="python3.12 python3.11 python3.13 python3"
    torch_source="--torch-backend=cpu"
    for wheel in "${PIP_FIND_LINKS:-/nonexistent}"/torch-"$torch"+cpu-cp3*"$(uname -m)".whl; do
        [ -f "$wheel" ] || continue
        tag=${wheel##*+cpu-cp3} && pythons="python3.${tag%%-*}"
        torch_source="--find-links $PIP_FIND_LINKS"
        say "PyTorch $torch: wheel found in \$PIP_FIND_LINKS, built for $pythons"
    done
fi

if ! "$environment/bin/python" -c '' 2>/dev/null; then
    # shellcheck disable=SC2086  # a list of words on purpose
    python=$(first_python sys $pythons)
    say "$environment: $("$python" -V)"
    "$uv" venv --quiet --clear --python "$python" "$environment"
fi
if [ -n "$torch" ]; then
    requirements=$environment/requirements.txt
    { cat "$lock" && echo "torch==$torch"; } > "$requirements"
fi
say "$environment: installing $(grep -c == "$lock") packages from $lock"
# Compiled once here, because PYTHONDONTWRITEBYTECODE would make every start compile again.
# shellcheck disable=SC2086
"$uv" pip sync --quiet --compile-bytecode --python "$environment/bin/python" $torch_source "$requirements"
