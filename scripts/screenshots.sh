#!/bin/sh
# Puts the pictures that the browser tests took into the user's guide:
# screenshots.sh, after `make web && sh scripts/test.sh -run TheScreens ./test/e2e`.
set -eu
cd "$(dirname -- "$0")/.."
mkdir -p docs/user/images
while read -r picture page; do
    cp "web/test-results/$picture.png" "docs/user/images/$page.png"
done <<END
home home
services services
scatter-light transactions
trace trace
sql sql
map map
issues-light errors
logs logs
metrics metrics
dashboard dashboards
hosts hosts
profiles profiles
incident incidents
END
