# shellcheck shell=bash disable=SC2154  # here, recipe, cache and work are set by images/build
# The root file system as the kernel unpacks it at boot.

# initramfs_make ROOT FILE
# Names in order, inodes counted anew, everything owned by root: the same bytes whoever builds. Compression: see README, "Numbers".
initramfs_make() {
    (cd "$1" && find . -mindepth 1 | sort | cpio --quiet -o -H newc --reproducible --owner=0:0) | zstd -q -19 --single-thread > "$2"
}
