#!/bin/sh
# Puts the pictures that the browser tests took into the user's guide, in both
# languages: screenshots.sh, after `make web && sh scripts/test.sh -run TheScreens ./test/e2e`.
set -eu
cd "$(dirname -- "$0")/.."
for language in ko en; do
    mkdir -p "docs/user/$language/images"
    cp "web/test-results/guide/$language"/*.webp "docs/user/$language/images/"
done
