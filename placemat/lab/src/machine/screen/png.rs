//! Pixels to PNG (ISO/IEC 15948), without compression: for one picture that is looked at and gone.

/// Longest stored block of deflate (RFC 1951, section 3.2.4), in bytes.
const BLOCK: usize = 0xffff;

/// A picture as QEMU writes it (`P6`, three bytes a pixel) as PNG; `None` where it is not one.
pub(super) fn of_ppm(ppm: &[u8]) -> Option<Vec<u8>> {
    let mut rest = ppm;
    let mut word = || -> Option<&[u8]> {
        let end = rest.iter().position(u8::is_ascii_whitespace)?;
        let (word, after) = rest.split_at(end);
        rest = &after[1..];
        Some(word)
    };
    let number = |word: &[u8]| std::str::from_utf8(word).ok()?.parse::<u32>().ok();
    if word()? != b"P6" {
        return None;
    }
    let (width, height) = (number(word()?)?, number(word()?)?);
    if number(word()?)? != 255 {
        return None;
    }
    let line = usize::try_from(width).ok()?.checked_mul(3)?;
    let lines = usize::try_from(height).ok()?;
    if line == 0 || rest.len() != line.checked_mul(lines)? {
        return None;
    }
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    // Eight bits a sample, red, green and blue; the only compression, filters and no interlace.
    header.extend([8, 2, 0, 0, 0]);
    // Each line begins with its filter: none.
    let filtered: Vec<u8> = rest
        .chunks(line)
        .flat_map(|line| std::iter::once(0).chain(line.iter().copied()))
        .collect();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, *b"IHDR", &header);
    chunk(&mut png, *b"IDAT", &stored(&filtered));
    chunk(&mut png, *b"IEND", &[]);
    Some(png)
}

/// A zlib stream (RFC 1950) of stored blocks.
fn stored(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = data.chunks(BLOCK).peekable();
    while let Some(block) = blocks.next() {
        let [low, high, ..] = block.len().to_le_bytes();
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend([low, high, !low, !high]);
        stream.extend(block);
    }
    stream.extend(adler32(data).to_be_bytes());
    stream
}

fn chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let [.., a, b, c, d] = data.len().to_be_bytes();
    png.extend([a, b, c, d]);
    let from = png.len();
    png.extend(kind);
    png.extend(data);
    let sum = crc32(&png[from..]);
    png.extend(sum.to_be_bytes());
}

fn adler32(data: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in data {
        low = (low + u32::from(*byte)) % 65521;
        high = (high + low) % 65521;
    }
    high << 16 | low
}

fn crc32(data: &[u8]) -> u32 {
    let step = |sum: u32| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
    let sum = data.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| step(sum))
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(crc32(b"IEND"), 0xae42_6082);
    }

    #[test]
    fn a_picture_of_two_pixels() {
        let png = of_ppm(b"P6\n2 1\n255\n\xff\0\0\0\0\xff").expect("a picture");
        let shown = png.escape_ascii().to_string();
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn large_pictures_have_several_blocks() {
        let mut ppm = b"P6\n300 100\n255\n".to_vec();
        ppm.resize(ppm.len() + 90_000, 7);
        let png = of_ppm(&ppm).expect("a picture");
        // 90,100 bytes with the filters: two blocks, of which the last is marked.
        let data = &png[8 + 25 + 8..];
        assert_eq!(&data[..7], [0x78, 1, 0, 0xff, 0xff, 0, 0]);
        assert_eq!(data[2 + 5 + BLOCK], 1);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>, width in 0_u32..9, height in 0_u32..9) {
            of_ppm(&bytes);
            let mut ppm = format!("P6\n{width} {height}\n255\n").into_bytes();
            ppm.extend(bytes);
            of_ppm(&ppm);
        }
    }
}
