//! What a volume may say.

use crate::schema::{Key, NAME, PATH, SIZE, Shape, Variant};

const NAMED: Key = Key::required(
    "name",
    Shape::Form(&NAME),
    "Its name in the node; guests mount a shared folder by it.",
);

const CACHE: Key = Key::optional(
    "cache",
    Shape::Choice(&[
        (
            "none",
            "around the host's page cache, where the file system can do that",
        ),
        ("writeback", "through the page cache"),
        ("writethrough", "through it, and every write flushed"),
        ("directsync", "around it, and every write flushed"),
        ("unsafe", "through it, and no write ever flushed"),
    ]),
    "How the host caches it, in QEMU's words.",
)
.or("`none`");

const DEVICE_CLASS: Key = Key::optional(
    "device-class",
    Shape::Form(&NAME),
    "The `DeviceClass` that its file lies in.",
)
.or("the lab's data directory");

/// `volumes` of a node.
pub(in crate::resource::node) const KEY: Key = Key::optional(
    "volumes",
    Shape::List(&Shape::Tagged(&[
        Variant {
            word: "image",
            doc: "the disk of an image",
            keys: &[
                NAMED,
                Key::required("image", Shape::Form(&NAME), "The `Image`."),
                Key::optional(
                    "copy-on-write",
                    Shape::Boolean,
                    "An overlay instead of a full copy.",
                )
                .or("`false`"),
                CACHE,
                DEVICE_CLASS,
                Key::optional("vg", Shape::Ignored, "Placemat v1's; ignored."),
                Key::optional("size", Shape::Ignored, "Placemat v1's; ignored."),
            ],
        },
        Variant {
            word: "localds",
            doc: "a seed for cloud-init (NoCloud)",
            keys: &[
                NAMED,
                Key::required("user-data", Shape::Form(&PATH), "Its `user-data`."),
                Key::optional(
                    "network-config",
                    Shape::Form(&PATH),
                    "Its `network-config`.",
                ),
                CACHE,
                DEVICE_CLASS,
            ],
        },
        Variant {
            word: "raw",
            doc: "an empty disk",
            keys: &[
                NAMED,
                Key::required(
                    "size",
                    Shape::Form(&SIZE),
                    "Its size, whole sectors of 512 bytes.",
                ),
                Key::optional(
                    "format",
                    Shape::Choice(&[
                        ("qcow2", "QEMU's own, which takes space as it is written"),
                        ("raw", "plain bytes"),
                    ]),
                    "Format of its file.",
                )
                .or("`qcow2`"),
                CACHE,
                DEVICE_CLASS,
            ],
        },
        Variant {
            word: "hostPath",
            doc: "a folder of the host, shared with the guest",
            keys: &[
                NAMED,
                Key::required(
                    "path",
                    Shape::Form(&PATH),
                    "Absolute path of the folder; made where it is missing.",
                ),
                Key::optional("writable", Shape::Boolean, "The guest may write.").or("`false`"),
                Key::optional(
                    "protocol",
                    Shape::Choice(&[
                        ("9p", "9p over virtio, by QEMU itself"),
                        (
                            "virtiofs",
                            "virtiofs, by `virtiofsd`; needs `writable: true`",
                        ),
                    ]),
                    "What host and guest speak.",
                )
                .or("`9p`"),
                Key::optional("cache", CACHE.shape, "Has no effect here."),
                Key::optional("device-class", DEVICE_CLASS.shape, "Has no effect here."),
            ],
        },
        Variant {
            word: "vvfat",
            doc: "a data folder as a read-only disk with one FAT16 partition",
            keys: &[
                NAMED,
                Key::required("folder", Shape::Form(&NAME), "The `DataFolder`."),
                Key::optional("cache", CACHE.shape, "Has no effect here."),
                Key::optional("device-class", DEVICE_CLASS.shape, "Has no effect here."),
            ],
        },
    ])),
    "Its disks and shared folders, in order.",
);
