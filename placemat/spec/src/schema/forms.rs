//! The forms of text that values have.

use super::{Form, Shape};

pub(crate) const NAME: Form = Form::new(
    "name",
    "",
    "^[^/ ]+$",
    "rack1-tor1",
    "the name of a resource",
);
/// A path, from the folder of the file that names it.
pub const PATH: Form = Form::new(
    "path",
    "",
    "^.+$",
    "bird/spine-1.conf",
    "a path, from the folder of the YAML file",
);
pub(crate) const SELECTOR: Form = Form::new(
    "selector",
    "",
    "^.+$",
    "rack/1",
    "a selector: a target such as `node/rack1-cs1`, a pattern, labels, or a whole rack",
);
pub(crate) const MAC: Form = Form::new(
    "mac",
    "bad-mac",
    "^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$",
    "52:54:00:aa:bb:01",
    "a unicast MAC address",
);
pub(crate) const INTERFACE_ADDRESS: Form = Form::new(
    "interface-address",
    "bad-address",
    "^[0-9A-Fa-f:.]+/[0-9]{1,3}$",
    "10.0.0.1/24",
    "an address with prefix length",
);
pub(crate) const ADDRESS: Form = Form::new(
    "address",
    "bad-address",
    "^[0-9A-Fa-f:.]+$",
    "10.72.17.4",
    "an IP address",
);
pub(crate) const IPV4: Form = Form::new(
    "ipv4",
    "bad-address",
    "^[0-9]{1,3}(\\.[0-9]{1,3}){3}$",
    "10.69.0.68",
    "an IPv4 address",
);
pub(crate) const SUBNET: Form = Form::new(
    "subnet",
    "bad-subnet",
    "^[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}$",
    "10.69.0.64/26",
    "an IPv4 subnet",
);
/// A duration such as `1m30s`.
pub const DURATION: Form = Form::new(
    "duration",
    "bad-duration",
    "^([0-9]+(\\.[0-9]+)?(d|h|m|s|ms|us|ns))+$",
    "1m30s",
    "a duration",
);
/// A size in bytes such as `512M`.
pub const SIZE: Form = Form::new(
    "size",
    "bad-size",
    "^[0-9]+([KMGTkmgt](i|iB)?|B)?$",
    "512M",
    "a size in bytes; suffixes are powers of 1024",
);
pub(crate) const PERCENTAGE: Form = Form::new(
    "percentage",
    "bad-percentage",
    "^[0-9]+(\\.[0-9]+)? ?%$",
    "0.5%",
    "a percentage",
);
pub(crate) const RATE: Form = Form::new(
    "rate",
    "bad-rate",
    "^[0-9]+[A-Za-z]+$",
    "10mbit",
    "a rate in bits a second",
);
pub(crate) const URL: Form = Form::new(
    "url",
    "bad-url",
    "^[Hh][Tt][Tt][Pp][Ss]?://.+$",
    "https://example.com/disk.img",
    "an HTTP URL",
);
pub(crate) const SHA256: Form = Form::new(
    "sha256",
    "bad-digest",
    "^(sha256:)?[0-9A-Fa-f]{64}$",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "a SHA-256 digest, as `sha256sum` prints it",
);
pub(crate) const SERIAL: Form = Form::new(
    "serial",
    "bad-serial",
    "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,62}$",
    "cs1-serial",
    "a serial number: it stands in URLs and paths",
);
pub(crate) const CREDENTIAL: Form = Form::new(
    "credential",
    "bad-credential",
    "^.{1,20}$",
    "placemat",
    "a user name (16 bytes) or password (20 bytes) of IPMI 2.0",
);
pub(crate) const FILE_NAME: Form = Form::new(
    "file-name",
    "bad-name",
    "^[^/\\\\:*?\"<>|]+$",
    "config.yml",
    "the name of a file on FAT",
);

pub(crate) const UUID: Form = Form::new(
    "uuid",
    "bad-uuid",
    "^[0-9A-Fa-f-]+$",
    "0ccb0d23-5b5c-4a6f-9d5e-2f3f6c1c8a11",
    "a UUID",
);
pub(crate) const CPU_MODEL: Form = Form::new(
    "cpu-model",
    "bad-cpu-model",
    "^[A-Za-z0-9][A-Za-z0-9_.,=+-]*$",
    "Skylake-Server,+x2apic",
    "a CPU model of QEMU's, with features",
);
pub(crate) const OCI_IMAGE: Form = Form::new(
    "oci-image",
    "",
    "^(oci|oci-archive|docker-archive):.+|^docker://.+$",
    "docker://quay.io/cybozu/bird:2.0",
    "an OCI image in skopeo's words: `oci:FOLDER[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]` or `docker://NAME`",
);
pub(crate) const USER: Form = Form::new(
    "user",
    "",
    "^[A-Za-z0-9_.][A-Za-z0-9_.-]*(:[A-Za-z0-9_.][A-Za-z0-9_.-]*)?$",
    "bird:bird",
    "a user, or user and group, by name or number",
);

/// Addresses with prefix length.
pub(crate) const ADDRESSES: Shape = Shape::List(&Shape::Form(&INTERFACE_ADDRESS));
/// A program and its arguments.
pub(crate) const COMMAND: Shape = Shape::List(&Shape::Text);
