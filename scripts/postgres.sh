#!/bin/sh
# A throw-away PostgreSQL for tests, out of Debian's packages.
#
#   sh scripts/postgres.sh start        starts a server on a free loopback port, prints its DSN
#   sh scripts/postgres.sh stop DSN     stops that server and removes its files
#
# Everyone on this machine may log in (trust), and nothing is synced to disk:
# never keep data in it.
set -eu

fail() { echo "postgres.sh: $*" >&2; exit 1; }

# PostgreSQL refuses to run as root; its package brings the user postgres.
if [ "$(id -u)" = 0 ]; then
    as() { runuser -u postgres -- "$@"; }
    owner=postgres
else
    as() { "$@"; }
    owner=$(id -un)
fi
base=${TMPDIR:-/tmp}/matrix-postgres-$owner

start() {
    bin=
    for dir in /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin; do
        [ -x "$dir/initdb" ] && bin=$dir
    done
    [ -n "$bin" ] || bin=$(dirname "$(command -v initdb || true)")
    [ -x "$bin/initdb" ] || fail "no PostgreSQL here: apt-get install -y postgresql"

    as mkdir -p -m 700 "$base"
    [ -O "$base" ] || [ "$(id -u)" = 0 ] || fail "$base belongs to someone else"

    # The port names the directory; whoever makes the directory owns the port,
    # and a port that some other program holds is tried no further.
    for port in $(seq 54321 54420); do
        dir=$base/$port
        as mkdir -m 700 "$dir" 2>/dev/null || continue
        cd "$dir"
        as "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir.init.log" 2>&1 ||
            { cat "$dir.init.log" >&2; as rm -rf "$dir"; fail "initdb did not work"; }
        mv "$dir.init.log" "$dir/init.log"
        if as "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 30 -s \
            -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300 -c fsync=off -c synchronous_commit=off -c full_page_writes=off" \
            start >/dev/null 2>&1; then
            echo "$bin" >"$dir/bin"
            echo "postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
            return
        fi
        grep -q 'could not bind\|could not create any TCP' "$dir/log" || { cat "$dir/log" >&2; fail "the server did not start"; }
        cd /
        rm -rf "$dir"
    done
    fail "no free port between 54321 and 54420"
}

stop() {
    port=$(printf '%s' "$1" | sed -n 's|^postgres://[^/]*:\([0-9]\{1,\}\)/.*|\1|p')
    [ -n "$port" ] || fail "not a DSN this script printed: $1"
    dir=$base/$port
    [ -f "$dir/bin" ] || fail "no server of this script on port $port"
    cd /
    as "$(cat "$dir/bin")/pg_ctl" -D "$dir/data" -m immediate -w -s stop || true
    rm -rf "$dir"
}

case ${1:-} in
start) start ;;
stop) [ -n "${2:-}" ] || fail "usage: postgres.sh stop DSN"; stop "$2" ;;
*) fail "usage: postgres.sh start | stop DSN" ;;
esac
