# PostgreSQL's programs refuse root. What it shares in memory goes with it, also when it is killed.
set -e
install -d -o postgres -m 700 @FOLDER@/data
as_postgres="setpriv --reuid=postgres --regid=postgres --clear-groups"
cd @FOLDER@/data
bin=$(dirname @PROGRAM@)
test -f PG_VERSION || $as_postgres "$bin/initdb" -D . >/dev/null
exec unshare --ipc $as_postgres "$bin/postgres" -D . -h '*' -p @PORT@ -k '' -c dynamic_shared_memory_type=mmap
