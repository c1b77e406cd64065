# shellcheck shell=bash disable=SC2154  # here, recipe, cache and work are set by images/build
# How the build ends when something is amiss, and what it needs from the machine.

# fail MESSAGE [HINT]
fail() {
    echo "images/build: $1" >&2
    [ -z "${2:-}" ] || echo "hint: $2" >&2
    exit "${status:-1}"
}

# fail_stale MESSAGE: apt's lists do not fit the archive any more (sysexits.h: EX_TEMPFAIL). ci/image then reads them again.
fail_stale() {
    status=75 fail "$1" "run 'apt-get update' as root: the archive may have moved on"
}

# The tools, each with the Debian package that has it.
need_tools() {
    local missing=() tool package
    while read -r tool package; do
        command -v "$tool" > /dev/null || missing+=("$package")
    done <<'TOOLS'
apt-get apt
dpkg-deb dpkg
objcopy binutils
cc gcc
cpio cpio
zstd zstd
mformat mtools
sfdisk fdisk
flock util-linux
TOOLS
    [ ${#missing[@]} -eq 0 ] || fail "programs are missing that packages ${missing[*]} have" "ci/setup installs them"
    echo 'int main(void) { return 0; }' | cc -static -x c -o /dev/null - 2> /dev/null ||
        fail "cc cannot link a static program" "install libc6-dev (ci/setup does)"
}
