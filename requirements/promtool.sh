#!/bin/sh
# Put Prometheus' promtool at .venvs/tools/promtool, without root.
#
#   requirements/promtool.sh
#
# From PATH where there is one, else out of Debian's or Ubuntu's package `prometheus`, which apt
# downloads and verifies. Elsewhere: install Prometheus by hand, so that promtool is on PATH. (It is
# not fetched from a release: no checksum of one could be verified when this was written.)
set -eu
target=.venvs/tools/promtool
say() { printf '  %s\n' "$*"; }

if "$target" --version >/dev/null 2>&1; then
    exit 0
fi
mkdir -p "$(dirname "$target")"
if found=$(command -v promtool); then
    ln -sf "$found" "$target"
    say "promtool: $found"
    exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "setup: no promtool on PATH, and no apt-get to fetch it with; install Prometheus" \
        "(macOS: brew install prometheus)" >&2
    exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
say "promtool: from the package prometheus (20 MB)"
# With lists of its own where the system has none, as in a fresh container; that needs no root.
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
own="-o Dir::State::lists=$folder/lists -o Dir::Cache=$folder/cache -o APT::Sandbox::User=$(id -un)"
# shellcheck disable=SC2086  # a list of words on purpose
if ! (
    cd "$folder"
    apt-get download prometheus || { apt-get $own update && apt-get $own download prometheus; }
) >"$folder/log" 2>&1; then
    cat "$folder/log" >&2
    echo "setup: apt-get can't download the package prometheus; install it, so that promtool is" \
        "on PATH" >&2
    exit 1
fi
dpkg-deb -x "$folder"/prometheus_*.deb "$folder/unpacked"
install -m 755 "$folder/unpacked/usr/bin/promtool" "$target"
"$target" --version 2>&1 | sed -n '1s/^/  /p'
