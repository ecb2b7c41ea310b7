#!/bin/sh
# What `make demo` shows. All state lives in build/demo; there is no registry: the image comes from build/image.tar.
set -eu
cd "$(dirname "$0")/../.."
PATH=$PWD/bin:$PATH RUNFILE_ROOT=$PWD/build/demo
export PATH RUNFILE_ROOT
trap 'runfile -C examples/quickstart down -v >/dev/null 2>&1 || :' EXIT

show() {
	printf '\n$ %s\n' "$*"
	"$@"
}

runfile --progress quiet pull --tag busybox "docker-archive:build/image.tar:busybox:latest" >/dev/null
cd examples/quickstart
show runfile validate
show runfile plan
show runfile up
show runfile ps -a
