# shellcheck shell=bash disable=SC2154  # here, recipe, cache and work are set by images/build
# What is in the bundle: a digest of every file, and the packages it was made of.

# json_map: lines `KEY VALUE` to the inside of a JSON object. Neither holds a quote or a backslash here.
json_map() { sed -E 's/^([^ ]+) (.*)$/    "\1": "\2",/; $s/,$//'; }

# manifest_make PACKAGES BUNDLE
manifest_make() {
    {
        printf '{\n  "format": 1,\n  "files": {\n'
        (cd "$2" && find . -type f ! -name manifest.json | sort | xargs sha256sum) | sed -E 's|^([0-9a-f]+)  \./(.*)$|\2 \1|' | json_map
        printf '  },\n  "links": {\n'
        (cd "$2" && find . -type l -printf '%P %l\n' | sort) | json_map
        printf '  },\n  "packages": {\n'
        sed -E 's/^([^_]+)_([^_]+)_.*$/\1 \2/; s/%3a/:/' "$1" | json_map
        printf '  }\n}\n'
    } > "$work/manifest.json"
    mv "$work/manifest.json" "$2/manifest.json"
}
