#!/bin/sh
# Prints the path of a redis-server for the benchmark. Where there is none, it installs Debian's if it may.
set -eu

command -v redis-server && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "No redis-server found: installing it with apt-get." >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >&2
  apt-get install -y -qq --no-install-recommends redis-server >&2
  command -v redis-server && exit 0
fi

echo "The benchmark needs redis-server: install it." >&2
exit 1
