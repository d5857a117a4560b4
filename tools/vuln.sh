#!/bin/sh
# Looks for known vulnerabilities that our code reaches, module by module, and exits with 1 if there are any. With CI set, a
# database that cannot be reached is said loudly and is no failure by itself: what was found before it went away stays found.
# VULNDB names another one (https:// or file://).
set -eu
cd "$(dirname "$0")/.."

scan="$(mktemp -d)"
trap 'rm -rf "$scan"' EXIT
GOWORK=off GOBIN="$scan" go install golang.org/x/vuln/cmd/govulncheck@v1.8.0

found=0
# check <folder> <arguments>
check() {
  echo "== $1"
  status=0
  "$scan/govulncheck" -C "$1" -db "${VULNDB:-https://vuln.go.dev}" "$2" ./... >"$scan/out" 2>&1 || status=$?
  cat "$scan/out"
  case "$status" in
    0) ;;
    3) found=1 ;;
    *)
      if [ -n "${CI:-}" ] && grep -q "fetching vulnerabilities" "$scan/out"; then
        echo "************************************************************************************"
        echo "* NOT CHECKED for known vulnerabilities: the database cannot be reached from here. *"
        echo "************************************************************************************"
        exit "$found"
      fi
      exit 1
      ;;
  esac
}

check web -test=false # the smallest first: it finds out whether there is a database
for module in config streams streams/readmodel services/gateway services/persister services/auditor services/standalone services/swarm tools; do
  check "$module" -test=false
done
export GOWORK=off
check deploy -test=true # a module outside go.work, with nothing but tests

exit "$found"
