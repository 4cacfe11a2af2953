#!/bin/sh
# Runs a command that must never outlive the process at the other end of standard input, not even when that process is
# killed with -9: at the end of input the command gets SIGTERM, and SIGKILL when it takes longer than 8 s.
# usage: watchdog.sh <folder for pid and log> <command> [argument ...]
folder=$1
shift
exec 3<&0 </dev/null
trap '' INT HUP
"$@" 3<&- >/dev/null 2>"$folder/anvil.log" &
child=$!
echo "$child" >"$folder/anvil.pid"
trap 'kill -TERM "$child" 2>/dev/null' TERM
(
  trap - TERM
  read -r _ <&3
  kill -TERM "$child" 2>/dev/null
  tries=0
  while kill -0 "$child" 2>/dev/null && [ "$tries" -lt 80 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  kill -KILL "$child" 2>/dev/null
) &
watcher=$!
wait "$child"
status=$?
while kill -0 "$child" 2>/dev/null; do
  wait "$child"
  status=$?
done
kill "$watcher" 2>/dev/null
rm -f "$folder/anvil.pid"
exit "$status"
