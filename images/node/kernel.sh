# shellcheck shell=bash disable=SC2154  # here, recipe, cache and work are set by images/build
# The kernel, and the few of its modules that the image carries.

# kernel_version DEBIAN
kernel_version() { basename "$1"/boot/vmlinuz-* | sed 's/^vmlinuz-//'; }

# kernel_take DEBIAN FILE
kernel_take() { cp "$1/boot/vmlinuz-$(kernel_version "$1")" "$2"; }

# The names that one module depends on, as its own header has them.
module_depends() { tr '\0' '\n' < "$1" | sed -n 's/^depends=//p' | tr , ' '; }

# Copies a module and, before it, what it needs; writes its line of modules.dep. Module names know no difference of - and _.
module_take() {
    local name=$1 from=$2 to=$3 path needs=() need
    path=$(cd "$from" && find kernel -name '*.ko' | grep -x ".*/${name//[-_]/[-_]}\.ko") || fail "the kernel has no module $name"
    [ ! -f "$to/$path" ] || { taken=$path; return; }
    mkdir -p "$to/${path%/*}"
    cp "$from/$path" "$to/$path"
    for need in $(module_depends "$from/$path"); do
        module_take "$need" "$from" "$to"
        # modprobe loads from the last to the first, so the deepest goes last; all of what a need needs is listed too.
        needs+=("$taken" "$(sed -n "s|^$taken: *||p" "$to/modules.dep")")
    done
    printf '%s:%s\n' "$path" "${needs[*]/#/ }" | sed 's/  */ /g; s/ $//' >> "$to/modules.dep"
    taken=$path
}

# modules_take DEBIAN ROOT: the modules, their dependencies, the list that /init loads, and by which names mounts ask for the others.
modules_take() {
    local version taken name from to
    version=$(kernel_version "$1")
    from=$1/lib/modules/$version
    to=$2/usr/lib/modules/$version
    mkdir -p "$to"
    sed '/^#/d' "$recipe/modules" | while read -r name; do
        module_take "$name" "$from" "$to"
    done
    sed '/^#/d' "$recipe/modules-on-demand" | while read -r name; do
        [ -n "$(find "$from" -name "$name.ko")" ] || continue
        module_take "$name" "$from" "$to"
        tr '\0' '\n' < "$to/$taken" | sed -n "s/^alias=\(fs-.*\|9p-.*\|iso9660\)$/alias \1 $name/p" >> "$to/modules.alias"
    done
    sed '/^#/d' "$recipe/modules" | paste -s -d ' ' > "$2/usr/lib/modules/placemat.load"
}
