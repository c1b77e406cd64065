//! FRU 0, the server itself: a common header and a product area (Platform Management FRU
//! Information Storage Definition 1.3, chapters 8 and 12).

use crate::identity::Identity;
use crate::ipmi::{Answer, Call, Code};
use crate::rmcp::message::checksum;

/// Bytes of the common header; the product area follows.
const HEADER: u8 = 8;
/// Type of a text field in Latin-1, and the end of fields.
const TEXT: u8 = 0xc0;
const END: u8 = 0xc1;
/// Language code: English.
const ENGLISH: u8 = 25;

/// Get FRU Inventory Area Info (section 34.1).
pub(super) fn info(call: &mut Call<'_>) -> Answer {
    let [0] = call.head()? else {
        return Err(Code::NotPresent);
    };
    let size = u16::try_from(contents(&call.bmc.identity()).len()).unwrap_or(u16::MAX);
    let [low, high] = size.to_le_bytes();
    Ok(vec![low, high, 0]) // accessed by bytes
}

/// Read FRU Data (section 34.2).
pub(super) fn read(call: &mut Call<'_>) -> Answer {
    let [device, low, high, count] = call.head()?;
    if device != 0 {
        return Err(Code::NotPresent);
    }
    let contents = contents(&call.bmc.identity());
    let offset = usize::from(u16::from_le_bytes([low, high]));
    let rest = contents.get(offset..).ok_or(Code::OutOfRange)?;
    let piece = &rest[..rest.len().min(count.into())];
    let mut data = vec![u8::try_from(piece.len()).unwrap_or(u8::MAX)];
    data.extend_from_slice(piece);
    Ok(data)
}

/// The whole inventory: manufacturer, product, and serial number.
fn contents(identity: &Identity) -> Vec<u8> {
    let mut product = vec![0x01, 0, ENGLISH];
    let fields = [
        identity.manufacturer.as_str(),
        &identity.product,
        "",
        "",
        &identity.serial,
        &identity.name, // asset tag
        "",
    ];
    for field in fields {
        let text = &field.as_bytes()[..field.len().min(63)];
        product.push(TEXT | text.len().to_le_bytes()[0]);
        product.extend_from_slice(text);
    }
    product.push(END);
    product.resize((product.len() + 1).next_multiple_of(8) - 1, 0);
    product[1] = (product.len() + 1).div_ceil(8).to_le_bytes()[0];
    product.push(checksum(&product));

    let mut bytes = vec![0x01, 0, 0, 0, HEADER / 8, 0, 0];
    bytes.push(checksum(&bytes));
    bytes.extend_from_slice(&product);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn areas_sum_to_zero() {
        let identity = Identity::new("cs1", "a".repeat(80), Ipv4Addr::LOCALHOST.into());
        let bytes = contents(&identity);
        let (header, product) = bytes.split_at(HEADER.into());
        assert_eq!((checksum(header), checksum(product)), (0, 0));
        assert_eq!(product.len(), usize::from(product[1]) * 8);
    }
}
