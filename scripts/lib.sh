# What the project's scripts share. Sourced, not run.
set -euo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
export DEBIAN_FRONTEND=noninteractive

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Everything a build needs, and what tests and demo need besides. "package:probe": the probe is a program or a file.
BUILD_PACKAGES="g++:/usr/include/c++/*/vector pkg-config:pkg-config libcurl4-openssl-dev:/usr/include/*/curl/curl.h libssl-dev:/usr/include/openssl/evp.h
  liblz4-dev:/usr/include/lz4frame.h libzstd-dev:/usr/include/zstd.h libbrotli-dev:/usr/include/brotli/encode.h
  liblzma-dev:/usr/include/lzma.h zlib1g-dev:/usr/include/zlib.h libpq-dev:/usr/include/postgresql/libpq-fe.h
  libyaml-dev:/usr/include/yaml.h"
SERVER_PACKAGES="postgresql-15:/usr/lib/postgresql/15/bin/postgres"
DEMO_PACKAGES="util-linux:runuser"
BENCHMARK_PACKAGES="lz4:lz4 curl:curl python3:python3 util-linux:runuser"
TEST_PACKAGES="lz4:lz4 zstd:zstd brotli:brotli xz-utils:xz gzip:gzip openssl:openssl curl:curl jq:jq python3:python3
  python3-venv:/usr/share/doc/python3-venv iproute2:ip procps:ps util-linux:runuser
  radosgw:radosgw ceph-mon:ceph-mon ceph-osd:ceph-osd ceph-common:ceph"

# as_root COMMAND...: as it is when we are root, else through sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo > /dev/null; then sudo -E "$@"
  else die "needs root to run: $* (install sudo, or run this once as root)"; fi
}

is_there() {
  case $1 in /*) compgen -G "$1" > /dev/null ;; *) command -v "$1" > /dev/null ;; esac
}

# install_missing "LIST": installs the packages whose probe is not there, and says which.
install_missing() {
  local missing=() entry
  for entry in $1; do is_there "${entry#*:}" || missing+=("${entry%%:*}"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get > /dev/null || die "missing: ${missing[*]} (this script installs them on Debian only)"
  say "installing from Debian: ${missing[*]}"
  # Debian's package would create and start a cluster on port 5432: nobody asked for that.
  if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
    as_root mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
      printf 'create_main_cluster = false\n' | as_root tee /etc/postgresql-common/createcluster.conf > /dev/null
  fi
  as_root apt-get update -q > /dev/null
  as_root apt-get install -y -q --no-install-recommends "${missing[@]}" > /dev/null ||
    die "apt-get could not install: ${missing[*]}"
}

need_swift() {
  command -v swift > /dev/null ||
    die "no Swift compiler found: install Swift 6.2 or newer from https://www.swift.org/install/linux/ (or Debian's swiftlang package) and put it on PATH"
}

# build_release: makes the binary users get, and sets BINARY; prints nothing but a failure.
build_release() {
  local output
  output=$(cd "$TOP" && swift build -c release --static-swift-stdlib --product wal-s 2>&1) || {
    printf '%s\n' "$output" | grep -v '^\[' | tail -n 60 >&2
    die "the release build failed"
  }
  BINARY=$(cd "$TOP" && swift build -c release --static-swift-stdlib --show-bin-path)/wal-s
  [ -x "$BINARY" ] || die "the build did not make $BINARY"
}
