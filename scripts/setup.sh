#!/bin/sh
# Installs what MATRIX needs beside Go (1.26 or later) and Node (20.19 or later)
# with npm, and nothing twice:
#   setup.sh engine    the telemetry engine, into the user's cache
#   setup.sh web       the UI's npm packages
#   setup.sh node-e2e  the npm packages of the Node.js program that is watched
#   setup.sh node-sdk  the official clients of the model services
#   setup.sh browser   Chromium for the browser tests (Debian's package)
#   setup.sh postgres  PostgreSQL for the store tests (Debian's package)
#   setup.sh lint      golangci-lint, built from the pinned module in tools/
# Debian packages are installed when missing and run as root; otherwise the
# command to run is printed.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cache=${MATRIX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/matrix}

say() { printf 'setup: %s\n' "$*" >&2; }

debian() { # debian COMMAND PACKAGE…: installs the packages unless COMMAND is there
    probe=$1
    shift
    if eval "$probe" >/dev/null 2>&1; then return 0; fi
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $* from Debian's packages"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    else
        say "missing $*: run  sudo apt-get install $*"
        exit 1
    fi
}

need() { # need NAME VERSION COMMAND…: checks that COMMAND prints at least VERSION
    name=$1
    want=$2
    shift 2
    have=$(cd "$root" && "$@" 2>/dev/null | sed -n '1s/^[^0-9]*\([0-9][0-9.]*\).*/\1/p')
    if [ "$(printf '%s\n' "$want" "${have:-0}" | sort -t. -k1,1n -k2,2n | head -n 1)" = "$want" ]; then return 0; fi
    say "$name $want or later is needed, and ${have:-none} is on PATH: install it and run this again"
    exit 1
}

need_go() { need Go 1.26 go version; }
need_node() { need Node 20.19 node --version; }

engine() {
    if command -v clickhouse >/dev/null; then return 0; fi
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) platform=linux-x64-gnu ;;
        Linux-aarch64) platform=linux-arm64-gnu ;;
        Darwin-arm64) platform=darwin-arm64 ;;
        Darwin-x86_64) platform=darwin-x64 ;;
        *)
            say "no engine library for $(uname -sm): install ClickHouse and put 'clickhouse' on PATH"
            exit 1
            ;;
    esac
    dir=$cache/engine
    if cmp -s "$root/scripts/engine/package.json" "$dir/package.json" &&
        [ -e "$dir/node_modules/@chdb/lib-$platform/package.json" ]; then return 0; fi
    need_node
    say "installing the telemetry engine into $dir (about 180 MB to download)"
    mkdir -p "$dir"
    cp "$root/scripts/engine/package-lock.json" "$root/scripts/engine/.npmrc" "$dir/"
    if [ "$platform" = linux-x64-gnu ]; then
        cp "$root/scripts/engine/package.json" "$dir/package.json.new"
        mv "$dir/package.json.new" "$dir/package.json"
        npm ci --prefix "$dir" --no-audit --no-fund --loglevel=error >&2
    else
        # The lock file pins the platform that CI runs on; the others are pinned by version.
        version=$(sed -n 's/.*"@chdb[^:]*: "\(.*\)".*/\1/p' "$root/scripts/engine/package.json")
        npm install --prefix "$dir" --no-save --no-audit --no-fund --loglevel=error "@chdb/lib-$platform@$version" >&2
        cp "$root/scripts/engine/package.json" "$dir/package.json"
    fi
}

# Not npm ci: it refuses a lock file without the optional binaries of other
# platforms, which not every registry lists. What is locked is verified all the same.
packages() { # packages DIR: installs what its lock file says, unless that was done
    dir=$1
    if cmp -s "$dir/package-lock.json" "$dir/node_modules/.installed-lock"; then return 0; fi
    need_node
    say "installing npm packages of ${dir#"$root"/}"
    (cd "$dir" && npm install --no-save --no-audit --no-fund --loglevel=error >&2)
    cp "$dir/package-lock.json" "$dir/node_modules/.installed-lock"
}

lint() {
    want=$(sed -n 's/.*golangci-lint\/v2 \(v[^ ]*\).*/\1/p' "$root/tools/go.mod")
    if [ "$(cat "$cache/tools/golangci-lint.version" 2>/dev/null)" = "$want" ] && [ -x "$cache/tools/golangci-lint" ]; then return 0; fi
    need_go
    say "building golangci-lint $want (about a minute, once)"
    mkdir -p "$cache/tools"
    (cd "$root/tools" && go build -o "$cache/tools/golangci-lint" github.com/golangci/golangci-lint/v2/cmd/golangci-lint)
    echo "$want" >"$cache/tools/golangci-lint.version"
}

for part in "$@"; do
    case $part in
        engine) engine ;;
        web) packages "$root/web" ;;
        node-e2e) packages "$root/test/e2e/node" ;;
        node-sdk) packages "$root/test/sdk" ;;
        browser) debian 'command -v chromium || command -v chromium-browser || command -v google-chrome' chromium fonts-noto-cjk ;;
        postgres) debian 'ls /usr/lib/postgresql/*/bin/initdb || command -v initdb' postgresql ;;
        lint) lint ;;
        *)
            say "unknown part '$part': engine web node-e2e node-sdk browser postgres lint"
            exit 2
            ;;
    esac
done
