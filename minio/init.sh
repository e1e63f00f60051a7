#!/bin/sh
# Makes the bucket, once the server answers; does nothing when it is there. Runs in the image minio/mc.
# Needs ENDPOINT, ACCESS_KEY, SECRET_KEY and BUCKET.
set -eu

tries=0
until mc alias set store "$ENDPOINT" "$ACCESS_KEY" "$SECRET_KEY" > /dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -ge 60 ]; then
    echo "no answer from $ENDPOINT, or it refuses the keys:" >&2
    mc alias set store "$ENDPOINT" "$ACCESS_KEY" "$SECRET_KEY"
    exit 1
  fi
  sleep 1
done
mc mb --ignore-existing "store/$BUCKET"
