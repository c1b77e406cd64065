//! How templates see what speaks BGP.

/// Serializes a machine with the fields of its [`Speaker`](super::Speaker) as fields of its own.
///
/// Not by serde's `flatten`: that makes a map of a struct, and a map of thousands of servers is what
/// templates would spend their time on.
macro_rules! speaks {
    ($machine:ident { $($field:ident),* $(,)? }) => {
        impl serde::Serialize for $machine {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct as _;
                // Taken apart: a field more does not compile until it is listed.
                let Self { speaker, $($field),* } = self;
                let $crate::topology::Speaker {
                    name,
                    asn,
                    loopback,
                    loopback6,
                    addresses,
                    sessions,
                } = speaker;
                let own = [$(stringify!($field)),*].len();
                let mut fields = serializer.serialize_struct(stringify!($machine), 6 + own)?;
                fields.serialize_field("name", name)?;
                fields.serialize_field("asn", asn)?;
                fields.serialize_field("loopback", loopback)?;
                fields.serialize_field("loopback6", loopback6)?;
                fields.serialize_field("addresses", addresses)?;
                fields.serialize_field("sessions", sessions)?;
                $(fields.serialize_field(stringify!($field), $field)?;)*
                fields.end()
            }
        }
    };
}
