//! Capabilities of Linux, by name.

/// A set of capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(u64);

impl Capabilities {
    /// Names in the order of their numbers (linux/capability.h).
    pub const NAMES: [&'static str; 41] = [
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

    /// Puts in the capability of this name; `None` where no capability is called so.
    pub fn add(&mut self, name: &str) -> Option<()> {
        let number = Self::NAMES.iter().position(|known| *known == name)?;
        self.0 |= 1 << number;
        Some(())
    }

    /// Their names, in the order of their numbers.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let held = move |(number, _): &(usize, &str)| self.0 & (1 << number) != 0;
        let all = Self::NAMES.into_iter().enumerate();
        all.filter(held).map(|(_, name)| name)
    }

    /// The set as the kernel writes it: bit `n` is the capability of number `n`.
    pub fn bits(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_numbers_of_the_kernel() {
        let mut set = Capabilities::default();
        assert_eq!(set.add("CAP_FLY"), None);
        assert_eq!(set.bits(), 0);
        assert_eq!(set.add("CAP_NET_ADMIN"), Some(()));
        assert_eq!(set.add("CAP_CHECKPOINT_RESTORE"), Some(()));
        assert_eq!(set.bits(), 1 << 12 | 1 << 40);
        let names: Vec<&str> = set.names().collect();
        assert_eq!(names, ["CAP_NET_ADMIN", "CAP_CHECKPOINT_RESTORE"]);
    }
}
