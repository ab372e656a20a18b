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
if ! (cd "$folder" && apt-get download prometheus) >"$folder/log" 2>&1; then
    cat "$folder/log" >&2
    echo "setup: apt-get can't download the package prometheus; update its lists" \
        "(sudo apt-get update), or install it" >&2
    exit 1
fi
dpkg-deb -x "$folder"/prometheus_*.deb "$folder/unpacked"
install -m 755 "$folder/unpacked/usr/bin/promtool" "$target"
"$target" --version 2>&1 | sed -n '1s/^/  /p'
