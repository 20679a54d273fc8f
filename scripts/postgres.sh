#!/usr/bin/env bash
# A real PostgreSQL with pgvector for tests, without Docker and without installing anything:
#   scripts/postgres.sh start DIR PORT   starts the cluster in DIR, made where there is none, and prints its URL
#   scripts/postgres.sh stop DIR         stops it; `kill DIR` kills its processes as a crash would
#   scripts/postgres.sh remove DIR       stops it and removes DIR
#   scripts/postgres.sh pooler DIR PORT  is a PgBouncer in transaction mode in front of it, until it is ended
# It is PostgreSQL 17, or 15 with POSTGRES_VERSION=15. Debian's packages are unpacked once into a folder outside this
# clone and run by their own loader, so that any system with apt will do; pgvector for 15 is compiled with gcc.
set -euo pipefail

version="${POSTGRES_VERSION:-17}"
case "$version" in
  17) suite=trixie packages="postgresql-17 postgresql-17-pgvector pgbouncer" ;;
  15) suite=bookworm packages="postgresql-15 pgbouncer" ;;
  *) echo "POSTGRES_VERSION must be 15 or 17" >&2 && exit 2 ;;
esac
cache="${AFTERCOMMIT_POSTGRES:-${TMPDIR:-/tmp}/aftercommit-postgresql-$version-pgbouncer-$(id -u)}"
bin="$cache/usr/lib/postgresql/$version/bin"

fail() {
  echo "No PostgreSQL $version here: $*" >&2
  exit 1
}

# PostgreSQL and PgBouncer refuse to run as root.
as_server() {
  if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; else "$@"; fi
}

# Compiles the source of Debian's newest package. Of the development package, only the headers are needed.
compile_pgvector() {
  local build="$draft/.apt/build"
  mkdir "$build"
  (
    cd "$build"
    "$@" download "postgresql-server-dev-$version"
    dpkg-deb -x ./*.deb "$draft"
    "$@" source --download-only pgvector
    tar -xzf pgvector_*.orig.tar.gz --strip-components=1
    for file in src/*.c; do
      gcc -O2 -fPIC -fno-strict-aliasing -I "$draft/usr/include/postgresql/$version/server" -c "$file" -o "${file%.c}.o"
    done
    gcc -shared -o "$draft/usr/lib/postgresql/$version/lib/vector.so" src/*.o -lm
    cp sql/vector--*.sql vector.control "$draft/usr/share/postgresql/$version/extension/"
    cp sql/vector.sql "$draft/usr/share/postgresql/$version/extension/vector--$(sed -n "s/^default_version = '\(.*\)'/\1/p" vector.control).sql"
  ) >"$draft/.apt/log" 2>&1 || fail "pgvector cannot be compiled: $(tail -5 "$draft/.apt/log")"
}

unpack() {
  [ -x "$bin/postgres" ] && return
  command -v apt-get >/dev/null || fail "there is no apt-get to get it with. Start one yourself and set TEST_DATABASE_URL."
  local mirror keyring apt
  draft="$(mktemp -d "$cache.XXXXXX")"
  trap 'rm -rf "$draft"' EXIT
  chmod 755 "$draft"
  mirror="$(apt-get indextargets --format '$(REPO_URI)' | grep -m1 '/debian/*$')" || fail "apt names no mirror of Debian"
  keyring="$(find /usr/share/keyrings -name 'debian-archive-keyring.*' -print -quit)"
  [ -n "$keyring" ] || fail "the package debian-archive-keyring is not installed"

  # Lists, state and cache of its own: nothing of the machine's apt changes. The empty status resolves every dependency.
  mkdir -p "$draft"/.apt/{etc/preferences.d,lists/partial,archives/partial}
  : >"$draft/.apt/status"
  echo "deb [signed-by=$keyring] $mirror $suite main" >"$draft/.apt/sources.list"
  # Debian has no pgvector for 15 that knows half precision.
  [ "$version" = 17 ] || echo "deb-src [signed-by=$keyring] $mirror trixie main" >>"$draft/.apt/sources.list"
  apt=(apt-get -qq -o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::Retries=3
    -o "Dir::Etc::sourcelist=$draft/.apt/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::Etc::preferencesparts=$draft/.apt/etc/preferences.d" -o Dir::Etc::preferences=/dev/null
    -o "Dir::State::status=$draft/.apt/status" -o "Dir::State::lists=$draft/.apt/lists"
    -o "Dir::Cache=$draft/.apt" -o "Dir::Cache::archives=$draft/.apt/archives")
  "${apt[@]}" update || fail "apt cannot read $suite"
  # shellcheck disable=SC2086
  "${apt[@]}" install --download-only --no-install-recommends -y $packages >/dev/null || fail "apt cannot download it"
  for package in "$draft"/.apt/archives/*.deb; do dpkg-deb -x "$package" "$draft"; done
  [ "$version" = 17 ] || compile_pgvector "${apt[@]}"
  rm -rf "$draft/.apt"

  local loader
  loader="$(cd "$draft" && find . -name 'ld-linux*.so.*' -print -quit)"
  for name in usr/lib/postgresql/"$version"/bin/{initdb,postgres} usr/sbin/pgbouncer; do
    mv "$draft/$name" "$draft/$name.elf"
    cat >"$draft/$name" <<WRAPPER
#!/bin/sh
root="\$(cd "\$(dirname "\$0")/$(dirname "$name" | sed 's/[^/]*/../g')" && pwd)"
exec "\$root/$loader" --library-path "\$(echo "\$root"/usr/lib/*-linux-gnu*)" --argv0 "\$0" "\$0.elf" "\$@"
WRAPPER
    chmod 755 "$draft/$name"
  done
  # Another start may have been faster.
  mv -T "$draft" "$cache" 2>/dev/null || true
  [ -x "$bin/postgres" ] || fail "$cache is in the way"
}

pid_in() {
  local pid
  pid="$(head -1 "$1/postmaster.pid" 2>/dev/null)" && [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && echo "$pid"
}

wait_for_end() {
  while kill -0 "$1" 2>/dev/null; do sleep 0.05; done
}

start() {
  local dir="$1" port="$2"
  unpack
  if [ ! -e "$dir/PG_VERSION" ]; then
    mkdir -p "$dir"
    [ "$(id -u)" != 0 ] || chown nobody:nogroup "$dir"
    as_server "$bin/initdb" -D "$dir" -U postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions >"$dir.log" 2>&1 ||
      fail "initdb failed: $(cat "$dir.log")"
  fi
  if ! pid_in "$dir" >/dev/null; then
    # Nothing here outlives the machine, so nothing is synced. A few connections for each of the suites' processes.
    as_server setsid "$bin/postgres" -D "$dir" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
      -c fsync=off -c max_connections=200 -c max_wal_size=4GB -c wal_level=logical -c shared_buffers=256MB \
      </dev/null >>"$dir.log" 2>&1 &
    local starting=$!
    # The server writes "ready", or "standby", into the eighth line when it takes connections.
    until grep -Eq '^(ready|standby)' "$dir/postmaster.pid" 2>/dev/null; do
      kill -0 "$starting" 2>/dev/null || fail "it ended: $(tail -5 "$dir.log")"
      sleep 0.05
    done
  fi
  echo "postgres://postgres@127.0.0.1:$(sed -n 4p "$dir/postmaster.pid")/postgres"
}

stop() {
  local pid
  pid="$(pid_in "$1")" || return 0
  # INT rolls back what is open and ends; QUIT of the postmaster ends all at once, to be recovered from.
  kill "-$2" "$pid"
  wait_for_end "$pid"
}

pooler() {
  local config="$1.pgbouncer.ini" users="$1.pgbouncer.users"
  cat >"$config" <<CONFIG
[databases]
* = host=127.0.0.1 port=$(sed -n 4p "$1/postmaster.pid")
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $2
unix_socket_dir =
pool_mode = transaction
auth_type = trust
auth_file = $users
admin_users = postgres
max_client_conn = 1000
default_pool_size = 10
# A test may end the server's connections.
server_login_retry = 1
CONFIG
  for role in postgres aftercommit_app aftercommit_tasks; do echo "\"$role\" \"$role\""; done >"$users"
  [ "$(id -u)" != 0 ] || exec setpriv --reuid=nobody --regid=nogroup --clear-groups "$cache/usr/sbin/pgbouncer" "$config"
  exec "$cache/usr/sbin/pgbouncer" "$config"
}

case "${1:-}:$#" in
  start:3) start "$2" "$3" ;;
  stop:2) stop "$2" INT ;;
  kill:2) stop "$2" QUIT ;;
  remove:2) stop "$2" INT && rm -rf "$2" "$2".{log,pgbouncer.ini,pgbouncer.users} ;;
  pooler:3) pooler "$2" "$3" ;;
  *)
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
