# shellcheck shell=bash disable=SC2154  # here, recipe, cache and work are set by images/build
# Unified kernel image: systemd's UEFI stub with kernel, initramfs and command line in sections of one PE file, which firmware
# fetches and starts as a whole (UAPI group, UKI specification).

# uki_make DEBIAN BUNDLE IMAGE FILE: IMAGE is the name that the system finds in /etc/placemat-image.
uki_make() {
    local stub=$1/usr/lib/systemd/boot/efi/linuxx64.efi.stub section end
    printf '%s placemat.image=%s' "$(sed '/^#/d' "$recipe/cmdline" | paste -s -d ' ')" "$3" > "$work/cmdline"
    printf 'ID=placemat\nNAME="placemat node image"\nPRETTY_NAME="placemat node image (%s)"\n' "$3" > "$work/os-release"

    # Sections go behind the stub's last one, each on a page of its own.
    end=$(objdump -h "$stub" | awk '$2 ~ /^\./ { print $3, $4 }' | while read -r size vma; do
        echo $((0x$size + 0x$vma))
    done | sort -n | tail -n 1)
    local arguments=()
    for section in osrel:"$work/os-release" cmdline:"$work/cmdline" linux:"$2/vmlinuz" initrd:"$2/initrd.img"; do
        end=$(((end + 4095) / 4096 * 4096))
        arguments+=(--add-section ".${section%%:*}=${section#*:}" --change-section-vma ".${section%%:*}=$end")
        end=$((end + $(stat -c %s "${section#*:}")))
    done
    # The PE header has a time stamp, which is the stub's own only by --preserve-dates.
    objcopy --preserve-dates "${arguments[@]}" "$stub" "$4"
    [ "$(stat -c %s "$4")" -le $((40 << 20)) ] || fail "the UKI is larger than 40 MB"
}
