#!/bin/sh
# Runs Mosquitto, and lets it read users, rights and certificates again (SIGHUP) when one of their files has changed:
#   broker.sh CONFIGURATION FILE...
set -eu
configuration=$1
shift
mosquitto -c "$configuration" &
broker=$!
trap 'kill -TERM "$broker"' TERM INT
# By content: a file that is replaced by an equal one is no news.
seen=$(cksum "$@" 2>&1 || true)
while kill -0 "$broker" 2>/dev/null; do
  sleep "${BROKER_LOOKS_S:-2}" &
  wait $! || true
  now=$(cksum "$@" 2>&1 || true)
  if [ "$now" != "$seen" ]; then
    seen=$now
    kill -HUP "$broker" 2>/dev/null || true
  fi
done
wait "$broker"
