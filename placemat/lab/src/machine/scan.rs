//! What a serial console's output says about a boot.

use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};

/// Longest line that is looked at; firmware and kernel write no longer ones that matter.
const LINE: usize = 512;

/// A sign in the output. Each comes at most once a boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sign {
    /// The first output at all: firmware lives.
    Output,
    /// The kernel runs.
    Kernel,
    /// Userspace runs, and says what image it is.
    Userspace(String),
    /// Secure Boot refused what firmware should boot: its words.
    Refused(String),
    /// Firmware found nothing to boot: its words.
    NothingToBoot(String),
}

/// Reads output as it comes.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    line: Vec<u8>,
    seen: HashSet<Discriminant<Sign>>,
}

impl Scanner {
    /// Takes the next bytes and gives the signs in them.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Vec<Sign> {
        let mut signs = Vec::new();
        if !bytes.is_empty() {
            signs.extend(self.first(Sign::Output));
        }
        for byte in bytes {
            match byte {
                b'\n' | b'\r' => {
                    let line = std::mem::take(&mut self.line);
                    let sign = judge(&String::from_utf8_lossy(&line));
                    signs.extend(sign.and_then(|sign| self.first(sign)));
                }
                _ if self.line.len() < LINE => self.line.push(*byte),
                _ => {}
            }
        }
        signs
    }

    /// The sign, if it is the first of its kind.
    fn first(&mut self, sign: Sign) -> Option<Sign> {
        self.seen.insert(discriminant(&sign)).then_some(sign)
    }
}

fn judge(line: &str) -> Option<Sign> {
    if let Some((_, rest)) = line.split_once("placemat: userspace image=") {
        return Some(Sign::Userspace(rest.split_whitespace().next()?.to_owned()));
    }
    if line.contains("Linux version ") {
        return Some(Sign::Kernel);
    }
    // Words of EDK II's boot device selection. Its shell is the last resort, not a system.
    let (_, words) = line.split_once("BdsDxe: ")?;
    let refused = [": Access Denied", ": Security Violation"];
    if refused.iter().any(|end| words.trim_end().ends_with(end)) {
        return Some(Sign::Refused(words.to_owned()));
    }
    let failed = words.starts_with("No bootable option")
        || words.starts_with("starting") && words.contains("EFI Internal Shell");
    failed.then(|| Sign::NothingToBoot(words.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOOT: &str = "\x1b[2J\x1b[01;01HBdsDxe: loading Boot0002 \"UEFI HTTPv4\" from PciRoot\r\n\
        >>Start HTTP Boot over IPv4....\r\n\
        [    0.000000] Linux version 6.1.0-49-cloud-amd64 (debian)\r\n\
        placemat: userspace image=network\r\nplacemat: services up\r\n";

    fn signs() -> Vec<Sign> {
        vec![
            Sign::Output,
            Sign::Kernel,
            Sign::Userspace("network".into()),
        ]
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(cuts in proptest::collection::vec(1_usize..40, 1..20)) {
            let mut scanner = Scanner::default();
            let mut seen = Vec::new();
            let mut rest = BOOT.as_bytes();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (chunk, left) = rest.split_at((*cut).min(rest.len()));
                seen.extend(scanner.scan(chunk));
                rest = left;
            }
            prop_assert_eq!(seen, signs());
        }

        #[test]
        fn any_bytes_are_fine(bytes: Vec<u8>) {
            Scanner::default().scan(&bytes);
        }
    }

    #[test]
    fn refused_by_secure_boot() {
        let mut scanner = Scanner::default();
        let words = "failed to load Boot0001 \"UEFI Misc Device\" from PciRoot(0x0): Access Denied";
        let seen = scanner.scan(format!("BdsDxe: {words}\r\n").as_bytes());
        assert_eq!(seen, [Sign::Output, Sign::Refused(words.into())]);
    }

    #[test]
    fn nothing_to_boot_once() {
        let mut scanner = Scanner::default();
        let shell = "BdsDxe: starting Boot0001 \"EFI Internal Shell\" from Fv(7CB8)\r\n";
        let none = "BdsDxe: No bootable option or device was found.\r\n";
        let words = "starting Boot0001 \"EFI Internal Shell\" from Fv(7CB8)";
        let seen = scanner.scan(shell.as_bytes());
        assert_eq!(seen, [Sign::Output, Sign::NothingToBoot(words.into())]);
        assert_eq!(scanner.scan(none.as_bytes()), []);
    }
}
