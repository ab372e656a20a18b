# How uv is used here; read by install.sh and lock.sh.
uv=.venv/bin/uv
export UV_PYTHON_DOWNLOADS=never
# uv reads none of pip's settings; a mirror that pip is told of is meant for both.
[ -z "${PIP_INDEX_URL:-}" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}"
# A home that can't be written to has no room for uv's cache.
cache=${UV_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/uv}
mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || export UV_CACHE_DIR=.venvs/cache
