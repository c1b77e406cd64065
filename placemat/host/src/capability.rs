//! Capabilities of the calling process (capabilities(7)). A set of them is a number: bit `n` is the
//! capability of number `n`.

use std::io;

/// All that there are, also in kernels to come.
pub(crate) const ALL: u64 = u64::MAX;

/// `struct __user_cap_header_struct` of linux/capability.h.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// `struct __user_cap_data_struct`; two of them in version 3.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Of the calling process, in version 3.
static OWN: Header = Header {
    version: 0x2008_0522,
    pid: 0,
};

/// Whatever is executed from now on cannot get other capabilities than these. Those that the process
/// has stay, also when it changes its user, until [`keep_only`].
pub(crate) fn bound(keep: u64) -> io::Result<()> {
    for number in numbers(!keep) {
        // A capability that this kernel does not know is given up already.
        let _ = prctl(libc::PR_CAPBSET_DROP, number, 0);
    }
    prctl(libc::PR_SET_KEEPCAPS, 1, 0)
}

/// `CAP_SYS_TIME` sets the clock, which no namespace has for itself.
const SYS_TIME: usize = 25;

/// This process, and whatever is executed from now on, cannot set the host's clock.
pub(crate) fn leave_the_clock() -> io::Result<()> {
    prctl(libc::PR_CAPBSET_DROP, SYS_TIME, 0)?;
    // Nor can it hand it on to who asks for it by name ([`keep_only`]).
    let mut data = get()?;
    let others = !(1_u32 << SYS_TIME);
    data[0].permitted &= others;
    data[0].effective &= others;
    data[0].inheritable &= others;
    set(&data)
}

/// Gives up every capability but these. Those of them that the process has outlive `execve`, whoever
/// the user is: they are inheritable and ambient.
pub(crate) fn keep_only(keep: u64) -> io::Result<()> {
    let act = |constant: i32| usize::try_from(constant).unwrap_or_default();
    prctl(libc::PR_CAP_AMBIENT, act(libc::PR_CAP_AMBIENT_CLEAR_ALL), 0)?;
    let mut data = get()?;
    let mut kept = 0;
    for (data, shift) in data.iter_mut().zip([0, 32]) {
        data.permitted &= u32::try_from(keep >> shift & 0xffff_ffff).unwrap_or(u32::MAX);
        data.effective = data.permitted;
        data.inheritable = data.permitted;
        kept |= u64::from(data.permitted) << shift;
    }
    set(&data)?;
    for number in numbers(kept) {
        prctl(
            libc::PR_CAP_AMBIENT,
            act(libc::PR_CAP_AMBIENT_RAISE),
            number,
        )?;
    }
    Ok(())
}

fn numbers(set: u64) -> impl Iterator<Item = usize> {
    (0..64).filter(move |number| set & (1 << number) != 0)
}

fn prctl(option: i32, second: usize, third: usize) -> io::Result<()> {
    // SAFETY: these options of prctl(2) take integers.
    done(unsafe { libc::prctl(option, second, third, 0_usize, 0_usize) }.into())
}

fn get() -> io::Result<[Data; 2]> {
    let mut data = [Data::default(); 2];
    // SAFETY: header and two sets of data, as capget(2) wants them for version 3.
    done(unsafe { libc::syscall(libc::SYS_capget, &raw const OWN, data.as_mut_ptr()) })?;
    Ok(data)
}

fn set(data: &[Data; 2]) -> io::Result<()> {
    // SAFETY: header and two sets of data, as capset(2) wants them for version 3.
    done(unsafe { libc::syscall(libc::SYS_capset, &raw const OWN, data.as_ptr()) })
}

fn done(code: libc::c_long) -> io::Result<()> {
    if code < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
