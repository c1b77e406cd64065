# shellcheck shell=bash disable=SC2154  # here, recipe, cache and work are set by images/build
# The root file system: the kept files of the packages, the libraries they need, busybox's applets and our own scripts.

# root_make DEBIAN ROOT
root_make() {
    local debian=$1 root=$2 name patterns pattern file
    mkdir -p "$root"/{dev,proc,sys,run,tmp,root,mnt} "$root"/usr/{bin,sbin,lib,lib64} "$root"/var/lib "$root"/etc
    (cd "$root" && ln -s usr/bin usr/sbin usr/lib usr/lib64 .)
    # What a running node writes lies under /run, so that the tree itself can be read-only.
    ln -s /run "$root/var/run"
    ln -s /run "$root/var/log"
    ln -s /run/placemat/image "$root/etc/placemat-image"
    ln -s /run/resolv.conf "$root/etc/resolv.conf"
    ln -s /proc/mounts "$root/etc/mtab"

    while read -r name patterns; do
        [[ $name != '#'* ]] || continue
        for pattern in $patterns; do
            [ -n "$(cd "$debian" && compgen -G "$pattern")" ] || fail "no package has $pattern, which the line of $name keeps"
            for file in "$debian"/$pattern; do
                file=${file#"$debian/"}
                # bin and sbin of the packages are the ones in usr here.
                cp -P "$debian/$file" "$root/usr/${file#usr/}"
            done
        done
    done < "$recipe/packages"
    cc -static -Os -s -Wall -Wextra -Werror -Wl,--build-id=none -o "$root/usr/sbin/udp-echo" "$recipe/udp-echo.c"
    # The links bin and sbin stand for usr/bin and usr/sbin, so the copy must go through them.
    (cd "$recipe/root" && tar -c .) | tar -x -C "$root" --keep-directory-symlink --no-same-owner
    modules_take "$debian" "$root"
    libraries_take "$debian" "$root"
    applets_link "$root"

    # Permissions and times must not depend on who builds it and when.
    find "$root" -type f -perm /111 -exec chmod 755 {} +
    find "$root" -type f ! -perm /111 -exec chmod 644 {} +
    find "$root" -type d -exec chmod 755 {} +
    chmod 1777 "$root/tmp"
    find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
}

# The shared objects that an ELF file asks for, and its loader.
elf_needs() {
    objdump -p "$1" 2> /dev/null | sed -n 's/^ *NEEDED *//p'
}

# Copies what the kept programs need, and what those need, until nothing is missing.
libraries_take() {
    local debian=$1 root=$2 wanted=() next file name found
    mapfile -t wanted < <(find "$root/usr/bin" "$root/usr/sbin" -type f)
    # The loader is named in the programs by its path.
    cp -L "$debian/lib64/ld-linux-x86-64.so.2" "$root/usr/lib64/"
    while [ ${#wanted[@]} -gt 0 ]; do
        next=()
        for file in "${wanted[@]}"; do
            for name in $(elf_needs "$file"); do
                if [ -e "$root/usr/lib/$name" ] || [ -e "$root/usr/lib64/$name" ]; then continue; fi
                found=$(find "$debian/lib" "$debian/usr/lib" -name "$name" -print -quit)
                [ -n "$found" ] || fail "${file#"$root"} needs $name, which no package of the list has" \
                    "add the library's package to images/node/packages"
                cp -L "$found" "$root/usr/lib/$name"
                next+=("$root/usr/lib/$name")
            done
        done
        wanted=("${next[@]}")
    done
}

# One link per applet, except where a package has the real program.
applets_link() {
    local applet
    for applet in $("$1/usr/bin/busybox" --list); do
        [ -e "$1/usr/bin/$applet" ] || [ -e "$1/usr/sbin/$applet" ] || ln -s busybox "$1/usr/bin/$applet"
    done
    # These are looked for by path: by the kernel.
    ln -s ../bin/busybox "$1/usr/sbin/init"
    ln -s ../bin/busybox "$1/usr/sbin/modprobe"
}
