#!/bin/sh
# Runs `go test` with a real PostgreSQL beside it: test.sh [go test arguments].
# An already running one is used when MATRIX_TEST_POSTGRES is set.
set -eu
cd "$(dirname -- "$0")/.."
if [ -z "${MATRIX_TEST_POSTGRES:-}" ]; then
    MATRIX_TEST_POSTGRES=$(sh scripts/postgres.sh start)
    trap 'sh scripts/postgres.sh stop "$MATRIX_TEST_POSTGRES"' EXIT
    trap 'exit 130' INT TERM
    export MATRIX_TEST_POSTGRES
fi
if [ $# -eq 0 ]; then set -- ./...; fi
export CGO_ENABLED="${CGO_ENABLED:-0}" # as in the Makefile: what is compiled once serves both
go test -timeout 40m "$@" # the screens take longer than the 10 minutes that Go gives a package
