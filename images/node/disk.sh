# shellcheck shell=bash disable=SC2154  # here, recipe, cache and work are set by images/build
# The disk that boots without a network: GPT with one EFI system partition, and on it the UKI that calls itself `disk`.

# disk_make UKI FILE
disk_make() {
    # FAT's own tables take little: 2 MB beyond the UKI do, 1 MB before the partition and 1 MB behind it for both GPTs.
    local megabytes=$((($(stat -c %s "$1") >> 20) + 3)) serial=504c4143
    truncate -s $((megabytes + 2))M "$2"
    sfdisk --quiet "$2" <<TABLE
label: gpt
label-id: 504C4143-454D-4154-8000-000000000001
unit: sectors
start=2048, size=$((megabytes * 2048)), type=uefi, uuid=504C4143-454D-4154-8000-000000000002, name=ESP
TABLE
    mformat -i "$2@@1M" -T $((megabytes * 2048)) -h 64 -s 32 -m 248 -c 8 -N "$serial" -v PLACEMAT ::
    touch --date="@$SOURCE_DATE_EPOCH" "$1"
    TZ=UTC mmd -i "$2@@1M" ::/EFI ::/EFI/BOOT
    TZ=UTC mcopy -m -i "$2@@1M" "$1" ::/EFI/BOOT/BOOTX64.EFI
}
