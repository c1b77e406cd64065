//! Unpacks images, and leaves out what is all zero: a disk image is mostly holes.

use super::Watch;
use placemat_spec::resource::Compression;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};

/// Memory that an xz file may ask for, in KiB: what `xz -9` needs, eight times.
const XZ_MEMORY: u32 = 512 << 10;

/// Bytes that are left out when they are all zero.
const BLOCK: usize = 1 << 16;

/// Unpacks all of `packed` into `to`, which is empty. Gives the size of what was unpacked.
pub(super) fn unpack(
    compression: Compression,
    packed: File,
    to: &mut File,
    watch: &mut dyn Watch,
) -> io::Result<u64> {
    let total = packed.metadata()?.len();
    let position = packed.try_clone()?;
    let source = BufReader::with_capacity(BLOCK, packed);
    let mut reader: Box<dyn Read> = match compression {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(source)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(source)),
        Compression::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(source, true, XZ_MEMORY)),
        Compression::Zstd => Box::new(Zstd::new(source)),
    };
    let mut block = vec![0; BLOCK];
    let mut size = 0;
    loop {
        let count = fill(&mut reader, &mut block)?;
        if count == 0 {
            break;
        }
        if block[..count].iter().all(|byte| *byte == 0) {
            to.seek(SeekFrom::Current(i64::try_from(count).unwrap_or(0)))?;
        } else {
            to.write_all(&block[..count])?;
        }
        size += count as u64;
        watch.progress((&position).stream_position()?, Some(total));
    }
    to.set_len(size)?;
    Ok(size)
}

/// Reads until the block is full or nothing is left.
fn fill(reader: &mut dyn Read, block: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < block.len() {
        match reader.read(&mut block[count..]) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// Frames of Zstandard, one after the other (RFC 8878, 3.1): the decoder knows of one at a time, and
/// leaves the comparison of checksums to its caller.
struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl<R: BufRead> Zstd<R> {
    fn new(source: R) -> Self {
        Self {
            source,
            decoder: FrameDecoder::new(),
            in_frame: false,
        }
    }

    /// Begins the next frame, skipping those that hold no data; `false` at the end.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut frame = self.source.by_ref().take(length.into());
                    if io::copy(&mut frame, &mut io::sink())? < length.into() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }

    fn end(&mut self) -> io::Result<()> {
        let wanted = self.decoder.get_checksum_from_data();
        if wanted.is_some() && wanted != self.decoder.get_calculated_checksum() {
            return Err(io::Error::other(
                "the checksum is wrong: the file is damaged",
            ));
        }
        self.in_frame = false;
        Ok(())
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.in_frame {
                self.in_frame = self.begin()?;
                if !self.in_frame {
                    return Ok(0);
                }
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(io::Error::other)?;
            }
            let count = self.decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.end()?;
        }
    }
}
