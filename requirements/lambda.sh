#!/bin/sh
# Unpack what the Lambda functions import beside our code: wheels for their platform, by hash.
#
#   requirements/lambda.sh FOLDER     makes FOLDER/gateway and FOLDER/jobs
#
# The functions run Python 3.13 on arm64 (Amazon Linux 2023, glibc 2.34), whatever this machine is;
# so nothing is built, and nothing but `synth` reads these folders. boto3 is the runtime's own.
set -eu
folder=${1:-.venvs/lambda}
here=$(dirname "$0")
# shellcheck source=requirements/uv.sh
. "$here/uv.sh"

unpack() {
    name=$1 lock=$2
    echo "  $folder/$name: $(grep -c == "$lock") packages from $lock, for arm64"
    rm -rf "${folder:?}/$name" "${folder:?}/$name.txt"
    # Copied, not linked: the folder outlives uv's cache. No bytecode: synth compiles, reproducibly.
    "$uv" pip install --quiet --target "$folder/$name" --link-mode copy --no-compile-bytecode \
        --python-platform aarch64-manylinux_2_28 --python-version 3.13 \
        --only-binary :all: --no-deps --require-hashes -r "$lock"
    cp "$lock" "$folder/$name.txt" # last: says that the folder is whole, and from which lock
}

mkdir -p "$folder"
unpack gateway "$here/lambda.txt"
unpack jobs "$here/jobs.txt"
