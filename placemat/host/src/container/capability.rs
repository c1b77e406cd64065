//! Capabilities that a program keeps (v1's `caps-retain`).

use std::io;

/// Names in the order of their numbers (linux/capability.h).
const NAMES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// `struct __user_cap_header_struct` of linux/capability.h.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// `struct __user_cap_data_struct`; two of them in version 3.
#[repr(C)]
#[derive(Clone, Copy)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const VERSION_3: u32 = 0x2008_0522;

/// Numbers of the named capabilities as a set of bits.
fn bits(names: &[String]) -> io::Result<u64> {
    names.iter().try_fold(0, |bits, name| {
        let number = NAMES.iter().position(|known| known == name);
        let number = number.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("there is no capability {name}"),
            )
        })?;
        Ok(bits | 1 << number)
    })
}

/// Whatever is executed from now on cannot get other capabilities than these. Those that the process
/// has stay, also when it changes its user, until [`keep_only`].
pub(super) fn bound(names: &[String]) -> io::Result<()> {
    let keep = bits(names)?;
    for number in 0..NAMES.len() {
        if keep & (1 << number) == 0 {
            // A capability that this kernel does not know is given up already.
            let _ = prctl(libc::PR_CAPBSET_DROP, number, 0);
        }
    }
    prctl(libc::PR_SET_KEEPCAPS, 1, 0)
}

/// Gives up every capability but these, and keeps them over the next exec, whoever the user is.
pub(super) fn keep_only(names: &[String]) -> io::Result<()> {
    let keep = bits(names)?;
    prctl(
        libc::PR_CAP_AMBIENT,
        number(libc::PR_CAP_AMBIENT_CLEAR_ALL),
        0,
    )?;
    let half = |shift: u32| u32::try_from(keep >> shift & 0xffff_ffff).unwrap_or(u32::MAX);
    let mut data = get()?;
    for (data, shift) in data.iter_mut().zip([0, 32]) {
        data.permitted &= half(shift);
        data.effective = data.permitted;
        data.inheritable = data.permitted;
    }
    set(&data)?;
    for capability in (0..NAMES.len()).filter(|each| keep & (1 << each) != 0) {
        // What it did not have it cannot keep.
        let _ = prctl(
            libc::PR_CAP_AMBIENT,
            number(libc::PR_CAP_AMBIENT_RAISE),
            capability,
        );
    }
    Ok(())
}

/// An argument of prctl(2) as it is passed.
fn number(constant: i32) -> usize {
    usize::try_from(constant).unwrap_or_default()
}

fn prctl(option: i32, second: usize, third: usize) -> io::Result<()> {
    // SAFETY: these options of prctl(2) take integers.
    done(unsafe { libc::prctl(option, second, third, 0_usize, 0_usize) }.into())
}

fn get() -> io::Result<[Data; 2]> {
    let header = Header {
        version: VERSION_3,
        pid: 0,
    };
    let mut data = [Data {
        effective: 0,
        permitted: 0,
        inheritable: 0,
    }; 2];
    // SAFETY: header and two sets of data, as capget(2) wants them for version 3.
    done(unsafe { libc::syscall(libc::SYS_capget, &raw const header, data.as_mut_ptr()) })?;
    Ok(data)
}

fn set(data: &[Data; 2]) -> io::Result<()> {
    let header = Header {
        version: VERSION_3,
        pid: 0,
    };
    // SAFETY: header and two sets of data, as capset(2) wants them for version 3.
    done(unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) })
}

fn done(code: libc::c_long) -> io::Result<()> {
    if code < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbers_of_the_kernel() {
        let of = |name: &str| bits(&[name.to_owned()]).map_err(|error| error.to_string());
        assert_eq!(of("CAP_NET_ADMIN"), Ok(1 << 12));
        assert_eq!(of("CAP_CHECKPOINT_RESTORE"), Ok(1 << 40));
        assert_eq!(
            of("CAP_FLY"),
            Err("there is no capability CAP_FLY".to_owned())
        );
    }
}
