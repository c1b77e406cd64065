//! Boot override: what the next boots start from, whatever the firmware's own order says.

/// Where to boot from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BootSource {
    /// The network, by whatever the firmware does with it. (IPMI knows no other network boot, so
    /// a machine that only does UEFI HTTP boot should take this for it.)
    Pxe,
    /// UEFI HTTP boot.
    UefiHttp,
    /// The first disk.
    Hdd,
    /// The first CD drive.
    Cd,
    /// The firmware's setup screen.
    BiosSetup,
}

impl BootSource {
    /// All of them, in the order in which Redfish lists them.
    pub const ALL: [Self; 5] = [
        Self::Pxe,
        Self::Hdd,
        Self::Cd,
        Self::BiosSetup,
        Self::UefiHttp,
    ];
}

/// For how long an override holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Persistence {
    /// For the next boot only.
    Once,
    /// Until it is changed.
    Continuous,
}

/// A boot override. No override is `None` in an `Option` of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BootOverride {
    /// Where to boot from.
    pub source: BootSource,
    /// For how long.
    pub persistence: Persistence,
    /// UEFI rather than BIOS boot was asked for.
    pub efi: bool,
}

impl BootOverride {
    /// Boots from `source` once, by UEFI.
    pub fn once(source: BootSource) -> Self {
        Self {
            source,
            persistence: Persistence::Once,
            efi: true,
        }
    }

    /// Boots from `source` until changed, by UEFI.
    pub fn continuous(source: BootSource) -> Self {
        Self {
            persistence: Persistence::Continuous,
            ..Self::once(source)
        }
    }
}
