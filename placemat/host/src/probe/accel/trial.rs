//! Short runs of QEMU that show whether an accelerator works and how fast it is.

use super::Accelerator;
use crate::inherit::inherit;
use crate::probe::firmware::Ovmf;
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Iterations of the measured loop: two instructions each, about one cycle natively.
pub const LOOP: u32 = 100_000_000;

/// What the loop takes natively on a 3 GHz core.
const NATIVE: f64 = LOOP as f64 / 3.0e9;

/// Firmware under working KVM needs well under a second to its first sign of life.
const FIRMWARE_PATIENCE: Duration = Duration::from_secs(3);

/// Some 100 times what TCG takes; a broken QEMU must not hold up the start.
const LOOP_PATIENCE: Duration = Duration::from_secs(20);

/// What was seen of firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Life {
    /// It wrote to its console after this time.
    Alive(Duration),
    /// The VM stopped or QEMU ended: QEMU's words.
    Died(String),
    /// Neither, for this long.
    Silent(Duration),
}

/// Runs UEFI firmware, with nothing to boot, until it speaks, dies, or time is up.
pub(super) async fn firmware(qemu: &Path, ovmf: &Ovmf, accelerator: Accelerator) -> Life {
    let begin = Instant::now();
    let code = ovmf.code.path.display().to_string().replace(',', ",,");
    let mut command = bare(qemu, accelerator);
    // Code alone will do: without a variable store, OVMF keeps its variables in memory.
    command
        .arg("-drive")
        .arg(format!(
            "if=pflash,unit=0,format={},readonly=on,file={code}",
            ovmf.code.format
        ))
        .args(["-serial", "stdio"]);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Life::Died(error.to_string()),
    };
    let watch = async {
        let (Some(mut console), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
            return Life::Died("its output is not connected".into());
        };
        tokio::select! {
            biased;
            words = complaint(errors) => Life::Died(words),
            read = console.read_u8() => match read {
                Ok(_) => Life::Alive(begin.elapsed()),
                Err(error) => Life::Died(error.to_string()),
            },
        }
    };
    let seen = timeout(FIRMWARE_PATIENCE, watch)
        .await
        .unwrap_or(Life::Silent(FIRMWARE_PATIENCE));
    end(child).await;
    seen
}

/// How many times slower than natively the measured loop runs; 1 where it cannot be measured.
/// Whole hundredths: it is no more exact than that, and reads back from the cache as it was written.
pub(super) async fn slowness(qemu: &Path, accelerator: Accelerator) -> f64 {
    let factor = match timeout(LOOP_PATIENCE, time_loop(qemu, accelerator)).await {
        Ok(Ok(took)) => (took.as_secs_f64() / NATIVE).max(1.0),
        Ok(Err(error)) => {
            tracing::warn!(%error, "cannot measure how slow {accelerator} is");
            1.0
        }
        Err(_) => LOOP_PATIENCE.as_secs_f64() / NATIVE,
    };
    (factor * 100.0).round() / 100.0
}

async fn time_loop(qemu: &Path, accelerator: Accelerator) -> io::Result<Duration> {
    let disk = disk_in_memory(&boot_sector(LOOP))?;
    let mut command = bare(qemu, accelerator);
    command
        .arg("-drive")
        .arg(format!(
            "if=none,id=loop,format=raw,readonly=on,file=/proc/self/fd/{}",
            disk.as_raw_fd()
        ))
        .args(["-device", "virtio-blk-pci,drive=loop"])
        .args(["-debugcon", "stdio"]);
    inherit(&mut command, vec![disk]);
    let mut child = command.spawn()?;
    let mut console = child
        .stdout
        .take()
        .ok_or_else(|| io::Error::other("its output is not connected"))?;
    let timed = async {
        console.read_u8().await?;
        let begin = Instant::now();
        console.read_u8().await?;
        Ok(begin.elapsed())
    };
    let took = timed.await;
    end(child).await;
    took
}

fn bare(qemu: &Path, accelerator: Accelerator) -> Command {
    let mut command = Command::new(qemu);
    command
        .args(["-nodefaults", "-no-user-config", "-display", "none"])
        .args(["-machine", "q35,smm=off", "-m", "128"])
        .args(["-accel", accelerator.name()])
        .args([
            "-cpu",
            if accelerator == Accelerator::Kvm {
                "host"
            } else {
                "max"
            },
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Waits for QEMU to say why it fails; forever when it does not.
async fn complaint(errors: tokio::process::ChildStderr) -> String {
    let mut lines = BufReader::new(errors).lines();
    let mut last = String::from("QEMU ended without a word");
    while let Ok(Some(line)) = lines.next_line().await {
        // After this one come numbers, and only then the cause.
        if line.contains("emulation failure") {
            return "KVM cannot run its instructions (emulation failure); this host has no real \
                    hardware virtualisation"
                .into();
        }
        if line.starts_with("EAX=") || line.starts_with("RAX=") {
            return last;
        }
        if line.starts_with("KVM ") || line.contains("qemu") || line.contains("error") {
            last = line;
        }
    }
    last
}

async fn end(mut child: Child) {
    // Kill fails only when it has ended already.
    let _ = child.kill().await;
}

fn disk_in_memory(content: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create("placemat-probe", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(content)?;
    // A BIOS does not read disks smaller than a cylinder.
    file.set_len(1 << 20)?;
    Ok(file.into())
}

/// A boot sector that writes `S` to the debug port, counts down, and writes `E`.
fn boot_sector(count: u32) -> [u8; 512] {
    let [a, b, c, d] = count.to_le_bytes();
    let code = [
        0xfa, // cli
        0xb0, b'S', 0xe6, 0xe9, // mov al, 'S'; out 0xe9, al
        0x66, 0xb9, a, b, c, d, // mov ecx, count
        0x66, 0x49, 0x75, 0xfc, // again: dec ecx; jnz again
        0xb0, b'E', 0xe6, 0xe9, // mov al, 'E'; out 0xe9, al
        0xf4, // hlt
    ];
    let mut sector = [0; 512];
    sector[..code.len()].copy_from_slice(&code);
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_sector_is_bootable_and_holds_the_count() {
        let sector = boot_sector(0x1234_5678);
        assert_eq!(sector[7..11], [0x78, 0x56, 0x34, 0x12]);
        assert_eq!(sector[510..], [0x55, 0xaa]);
    }
}
