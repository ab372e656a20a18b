"""What containers do that have no program of their own; `sh`, run by a test against a bucket."""

from typing import Final

MARKER: Final = "_complete"
"""Written last: a prefix without it is half a model."""

_COMPLETE: Final = f"""set -eu
complete() {{
  [ "$(aws s3api list-objects-v2 --no-paginate --bucket "${{BUCKET#s3://}}" \\
    --prefix "$PREFIX/{MARKER}" --query KeyCount --output text)" = 1 ]
}}
"""

# Before an engine: a server that starts on half a model fails, again and again. It waits on a node
# with a GPU, so not for ever: a pod that fails is seen, one that waits is not.
FETCH: Final = f"""{_COMPLETE}
end=$(($(date +%s) + WAIT_S))
until complete; do
  if [ "$(date +%s)" -ge "$end" ]; then
    echo "gave up after $WAIT_S s: no $BUCKET/$PREFIX/{MARKER}. See why its Job is not done:" \
      "kubectl describe and logs of the namespace's weights Jobs. This pod tries again, later" \
      "each time, on a GPU node that bills: pause the stage until the model is there." >&2
    exit 1
  fi
  echo "waiting for $BUCKET/$PREFIX: the Job that copies it is not done"
  sleep 15
done
for adapter in "$@"; do
  aws s3 cp --recursive --only-show-errors "$BUCKET/adapters/$adapter/" "$ADAPTERS/$adapter/"
  test -s "$ADAPTERS/$adapter/adapter_config.json" || {{
    echo "no adapter under $BUCKET/adapters/$adapter/: publish it first" >&2
    exit 1
  }}
done
"""

LOOK: Final = f"""{_COMPLETE}
if complete; then
  touch "$WORK/complete"
  echo "there already: $BUCKET/$PREFIX"
fi
"""

# Safetensors and what describes them; other copies of the same weights are left on the hub.
DOWNLOAD: Final = """set -eu
[ -e "$WORK/complete" ] && exit 0
hf download "$MODEL" --revision "$REVISION" --local-dir "$WORK/model" \\
  --include '*.safetensors' --include '*.json' --include 'tokenizer.model' --include '*.jinja' \\
  --exclude 'consolidated*' || {
  echo "the hub did not give $MODEL at $REVISION. Is the token in the stage's secret hub-token" \
    "right, and has its owner accepted the model's licence? This goes on by itself: it tries" \
    "again every few minutes, with the secret's newest value." >&2
  exit 1
}
rm -rf "$WORK/model/.cache"
ls "$WORK"/model/*.safetensors > /dev/null
"""

# With our chat template, as the container on SageMaker can be given none but by a file. It may
# change while the model stays, so it goes there in any case, under a name that follows from it.
UPLOAD: Final = f"""set -eu
printf %s "$CHAT_TEMPLATE" |
  aws s3 cp --only-show-errors - "$BUCKET/$PREFIX/$CHAT_TEMPLATE_FILE"
[ -e "$WORK/complete" ] && exit 0
aws s3 sync --only-show-errors "$WORK/model" "$BUCKET/$PREFIX/"
echo "$MODEL $REVISION" | aws s3 cp - "$BUCKET/$PREFIX/{MARKER}"
echo "copied: $BUCKET/$PREFIX"
"""
