# shellcheck shell=bash disable=SC2154  # here, recipe, cache, kernel and work are set by images/build
# From the recipe's list of packages to their unpacked files: which versions and libraries, fetched by apt into the cache.

# Names on the list, the kernel's meta package replaced by the versioned package that the wanted kernel's depends on.
packages_listed() {
    local name
    while read -r name _; do
        case $name in
        '' | '#'*) ;;
        linux-image-*) apt-cache depends "$kernel" | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' ;;
        *) echo "$name" ;;
        esac
    done < "$recipe/packages"
}

# Names on the list and every library package below them, each once, sorted.
packages_closure() {
    local known wave
    known=$(packages_listed | sort -u)
    wave=$known
    while [ -n "$wave" ]; do
        # shellcheck disable=SC2086  # lists of names
        wave=$(apt-cache depends --no-pre-depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
            --no-enhances $wave | sed -n 's/^ *|\?Depends: \(lib[^ ]*\|zlib1g\)$/\1/p' |
            grep -v -e '-perl$' -e '-common$' -e '-bin$' | sort -u | comm -13 <(echo "$known") -)
        known=$(printf '%s\n%s\n' "$known" "$wave" | sed '/^$/d' | sort -u)
    done
    echo "$known"
}

# Prints `FILE SIZE DIGEST` for each package, as apt's lists have it. Fetches nothing. Asking apt takes seconds, so the answer is
# kept for as long as neither apt's lists nor the recipe change.
packages_resolve() {
    local names key
    key=$({
        echo "$kernel"
        cat "$recipe/packages" "$recipe/packages.sh"
        stat -c '%n %s %Y' /var/lib/apt/lists/*Packages* /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/preferences.d 2> /dev/null
    } | sha256sum | cut -c 1-16) || true
    if [ ! -s "$cache/resolved-$key" ]; then
        names=$(packages_closure)
        mkdir "$work/uris"
        # apt says nothing about files that lie in the current folder already, so ask from an empty one.
        # shellcheck disable=SC2086  # a list of names
        (cd "$work/uris" && apt-get --print-uris download $names) > "$work/uris.list" 2> "$work/apt.log" ||
            fail_stale "apt cannot say where the packages are: $(tail -n 1 "$work/apt.log")"
        [ "$(wc -l < "$work/uris.list")" = "$(wc -w <<< "$names")" ] ||
            fail_stale "apt does not know all of: ${names//$'\n'/ }"
        sed "s/^'[^']*' //" "$work/uris.list" | sort > "$work/resolved"
        mv "$work/resolved" "$cache/resolved-$key"
    fi
    cat "$cache/resolved-$key"
}

# Everything that decides the bytes of the bundle: packages, recipe, the tools that write into it.
input_hash() {
    {
        cat "$1"
        (cd "$here" && find build node -type f | sort | xargs sha256sum)
        (cd "$here" && find node/root -type f -perm -u+x | sort)
        cc --version
        # Linked into udp-echo.
        sha256sum "$(cc -print-file-name=libc.a)" "$(cc -print-file-name=crt1.o)" "$(cc -print-libgcc-file-name)" | cut -d ' ' -f 1
        objcopy --version
        cpio --version
        zstd --version
        mformat --version
        sfdisk --version
    } | sha256sum | cut -c 1-16
}

packages_fetch() {
    local file digest sum missing=()
    while read -r file _; do
        [ -f "$cache/$file" ] || missing+=("$(cut -d _ -f 1 <<< "$file")")
    done < "$1"
    if [ ${#missing[@]} -gt 0 ]; then
        mkdir "$work/fetched"
        (cd "$work/fetched" && apt-get -q -q download "${missing[@]}" > "$work/apt.log" 2>&1) ||
            fail_stale "apt cannot fetch ${missing[*]}: $(tail -n 1 "$work/apt.log")"
        mv "$work/fetched"/*.deb "$cache/"
    fi
    read -r _ _ digest < "$1"
    while read -r file _ sum; do
        echo "${sum#*:} $cache/$file"
    done < "$1" | case $digest in
    SHA512:*) sha512sum --check --quiet ;;
    SHA256:*) sha256sum --check --quiet ;;
    *) fail "apt names no digest that can be checked: $digest" ;;
    esac || fail "a package in $cache is damaged" "remove that folder and build again"
}

packages_unpack() {
    local file
    mkdir "$2"
    while read -r file _; do
        dpkg-deb -x "$cache/$file" "$2"
    done < "$1"
}
