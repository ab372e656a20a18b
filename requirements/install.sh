#!/bin/sh
# Make a virtual environment hold exactly what a lock file names.
#
#   requirements/install.sh ENVIRONMENT LOCK [TORCH_VERSION]
#
# With TORCH_VERSION, PyTorch's CPU build is installed first: from a wheel in
# $PIP_FIND_LINKS where there is one (its tag then decides which Python is used),
# else from PyTorch's own CPU index. It stays out of the lock because the two
# sources build different files under the same version.
set -eu
environment=$1 lock=$2 torch=${3:-}
here=$(dirname "$0")
export UV_PYTHON_DOWNLOADS=never
say() { printf '  %s\n' "$*"; }

# The first interpreter that really runs: a version manager's shim may exist and fail.
first_python() {
    for candidate in "$@"; do
        for path in "$candidate" "${PYENV_ROOT:-/nonexistent}"/versions/"${candidate#python}"*/bin/python; do
            if "$path" -c 'import sys, venv, ssl; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
                command -v "$path"
                return
            fi
        done
    done
    echo "setup: no Python 3.11 or newer found (tried: $*)" >&2
    exit 1
}

uv=${UV:-$(command -v uv || true)}
if [ -z "$uv" ]; then
    # .venv carries uv; it is made with plain pip, everything else with uv.
    uv=.venv/bin/uv
    if [ ! -x "$uv" ]; then
        say "making .venv"
        "$(first_python python3.13 python3.12 python3.11 python3)" -m venv .venv
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$here/uv.txt"
    fi
fi

pythons="python3.13 python3.12 python3.11 python3"
torch_source="--torch-backend=cpu"
if [ -n "$torch" ]; then
    pythons="python3.12 python3.11 python3.13 python3"
    for wheel in "${PIP_FIND_LINKS:-/nonexistent}"/torch-"$torch"+cpu-cp3*"$(uname -m)".whl; do
        [ -f "$wheel" ] || continue
        tag=${wheel##*+cpu-cp3} && pythons="python3.${tag%%-*}"
        torch_source="--find-links $PIP_FIND_LINKS"
        say "PyTorch $torch: wheel found in \$PIP_FIND_LINKS, built for $pythons"
    done
fi

if [ ! -x "$environment/bin/python" ]; then
    # shellcheck disable=SC2086  # a list of words on purpose
    python=$(first_python $pythons)
    say "$environment: $("$python" -V)"
    "$uv" venv --quiet --python "$python" "$environment"
fi
requirements=$lock
if [ -n "$torch" ]; then
    requirements=$environment/requirements.txt
    { cat "$lock" && echo "torch==$torch"; } > "$requirements"
else
    torch_source=
fi
say "$environment: installing $(grep -c == "$lock") packages from $lock"
# Compiled once here, because PYTHONDONTWRITEBYTECODE would make every start compile again.
# shellcheck disable=SC2086
"$uv" pip sync --quiet --compile-bytecode --python "$environment/bin/python" $torch_source "$requirements"
