# Rewinds the stopped PostgreSQL of this pod to what its source has. Runs on when nobody listens any more; what it found
# is in $place/result: done, later WHY and refused WHY (nothing was changed), broken WHY (the data must not be started).
# The image has a shell, coreutils and PostgreSQL's programs; no sed, no grep.
run=$1 fork=$2 line=$3 kind=$4 ends=$5
place=$PGDATA/../rewound/$run
export LC_ALL=C

ended() {
  printf '%s\n' "$1" > "$place/result.new"
  mv "$place/result.new" "$place/result"
  sync "$place/result" "$place"
  exit 0
}

last_lines() {
  tail -n 3 "$1" | tr '\n' ' '
}

runs() {
  pid= name=
  [ -e "$PGDATA/postmaster.pid" ] && read -r pid < "$PGDATA/postmaster.pid"
  [ -n "$pid" ] && [ -e "/proc/$pid/comm" ] && read -r name < "/proc/$pid/comm"
  [ "$name" = postgres ]
}

# PostgreSQL does not start on a label that is none. The control file says until the end of a rewind that all is well.
label="a rewind of this data is under way: $run"
forbid() {
  printf '%s\n' "$label" > "$PGDATA/backup_label"
  sync "$PGDATA/backup_label" "$PGDATA"
}

is_its_label() {
  first=
  [ -e "$PGDATA/backup_label" ] && read -r first < "$PGDATA/backup_label"
  case "$first" in "START WAL LOCATION"*) return 0 ;; esac
  return 1
}

# Only what pg_rewind has ended and what is on the disk gets its label, as the last thing: without standby.signal or
# with the settings of its source it would start as what it is not.
finish() {
  cp -p "$place"/conf/*.conf "$PGDATA/" || ended "broken its settings cannot be put back"
  : > "$PGDATA/standby.signal" || ended "broken standby.signal cannot be written"
  sync "$PGDATA"/*.conf "$PGDATA/standby.signal" "$PGDATA" || ended "broken its settings cannot be put on the disk"
  cp -p "$place/label" "$PGDATA/backup_label.new" && sync "$PGDATA/backup_label.new" \
    && mv "$PGDATA/backup_label.new" "$PGDATA/backup_label" && sync "$PGDATA" \
    || ended "broken its label cannot be put back"
  ended "done"
}

looks=0
while runs; do
  looks=$((looks + 1))
  [ $looks -gt "$ends" ] && ended "later PostgreSQL did not end"
  sleep 0.1
done

control=$(pg_controldata) || ended "refused pg_controldata does not read this data"
state=${control#*Database cluster state:}
state=${state%%[!a-z ]*}
if [ -e "$place/complete" ]; then  # it was killed when all was done
  [ -e "$PGDATA/backup_label" ] || ended "done"  # PostgreSQL has started on it since
  finish
fi
if [ -e "$place/begun" ]; then
  case "$state" in
    *" shut down in recovery") ;;
    *)
      forbid
      ended "broken it was cut off when pg_rewind had written the control file: what is on the disk is not known"
      ;;
  esac
fi
case "$state" in
  *" shut down in recovery") ;;
  *) ended "refused PostgreSQL did not end cleanly as a standby:$state" ;;
esac

if [ ! -e "$place/conninfo" ]; then
  postgres -D "$PGDATA" -C primary_conninfo > "$place/conninfo.new" || ended "refused its settings cannot be read"
  mkdir -p "$place/conf" && cp -p "$PGDATA"/*.conf "$place/conf/" || ended "refused its settings cannot be kept"
  mv "$place/conninfo.new" "$place/conninfo"
fi
source="$(cat "$place/conninfo") dbname=postgres connect_timeout=5 tcp_user_timeout=30000"
standby=$(psql --no-psqlrc --tuples-only --no-align --command 'SELECT pg_is_in_recovery()' "$source" 2> "$place/psql") \
  || ended "later its source does not answer: $(last_lines "$place/psql")"
case "$kind $standby" in "leader f" | "copy t") ;; *) ended "refused its source is no $kind's: standby $standby" ;; esac

fail=refused
if [ -e "$place/begun" ]; then
  fail=broken
  cp -p "$place"/wal/* "$PGDATA/pg_wal/" || ended "broken the log that it had cannot be put back"
fi
pg_rewind --dry-run --target-pgdata "$PGDATA" --source-server "$source" > "$place/look" 2>&1 \
  || ended "$fail $(last_lines "$place/look")"
seen=$(cat "$place/look")
case "$seen" in
  *"diverged at WAL location $fork on timeline $line"*"last common checkpoint at "*) ;;
  *) ended "$fail it is not at $fork of timeline $line that they part: $(last_lines "$place/look")" ;;
esac

# What is taken back is kept, with all of the log that another attempt needs: from the last common checkpoint on.
if [ ! -e "$place/begun" ]; then
  rm -rf "$place/wal"
  mkdir -p "$place/wal" || ended "refused there is no room to keep what is taken back"
  common=${seen##*last common checkpoint at }
  common=${common%% *}
  size=${control#*Bytes per WAL segment:}
  size=$((${size%%[!0-9 ]*}))
  each=$((4294967296 / size))
  first=$((0x${common%/*} * each + 0x${common#*/} / size))
  set --
  for file in "$PGDATA"/pg_wal/????????????????????????; do
    name=${file##*/}
    case "$name" in *[!0-9A-F]*) continue ;; esac
    place16=${name#????????}
    number=$((0x${place16%????????} * each + 0x${place16#????????}))
    [ "$number" -ge "$first" ] && set -- "$@" "$file"
  done
  for file in "$PGDATA"/pg_wal/*.history; do
    [ -e "$file" ] && set -- "$@" "$file"
  done
  [ $# -gt 0 ] && cp -p "$@" "$place/wal/" || { rm -rf "$place/wal"; ended "refused there is no room to keep its log"; }
  sync "$place"/wal/*
fi

[ -e "$PGDATA/postgresql.auto.conf" ] && chmod 600 "$PGDATA/postgresql.auto.conf"
forbid
: > "$place/begun"
sync "$place/begun" "$place"
pg_rewind --target-pgdata "$PGDATA" --source-server "$source" > "$place/rewind" 2>&1 &
rewind=$!
# It takes our label away before it copies, and writes its own when it is done. Ours comes back as a whole file, by a
# name that must be free: whatever it does in between, nothing of ours is written into its label.
while [ -e "/proc/$rewind/exe" ]; do
  if [ ! -e "$PGDATA/backup_label" ]; then
    printf '%s\n' "$label" > "$place/label.ours" && ln "$place/label.ours" "$PGDATA/backup_label" 2> /dev/null
    rm -f "$place/label.ours"
  fi
  sleep 0.05
done
wait $rewind || {
  forbid
  ended "broken $(last_lines "$place/rewind")"
}
is_its_label || {
  forbid
  ended "broken its label is not that of pg_rewind"
}
cp -p "$PGDATA/backup_label" "$place/label" && forbid && sync -f "$PGDATA" && sync -f "$PGDATA/pg_wal/" \
  && sync "$place/label" && : > "$place/complete" && sync "$place/complete" "$place" || {
  rm -f "$place/complete"
  forbid
  ended "broken it cannot be put on the disk"
}
finish
