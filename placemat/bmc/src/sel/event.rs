//! Events of the chassis, as the log keeps them (IPMI 2.0 tables 32-1 and 42-3).

use crate::boot::{BootOverride, BootSource, Persistence};
use crate::chassis::{Chassis, Command, Fact, Power, PowerCommand};

/// Generator: the BMC itself.
const BMC: [u8; 2] = [0x20, 0x00];
/// Format of events (section 29.7).
const REVISION: u8 = 0x04;
/// Event type: what the offsets mean follows from the sensor's type.
const SENSOR_SPECIFIC: u8 = 0x6f;
/// Bit of the event type's byte.
const DEASSERTED: u8 = 0x80;

/// An event of a sensor: an offset that was asserted or deasserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Who noticed it: slave address or software, then channel and LUN.
    pub generator: [u8; 2],
    /// Format of what follows.
    pub revision: u8,
    /// Type of the sensor (table 42-3).
    pub sensor_type: u8,
    /// Number of the sensor.
    pub sensor: u8,
    /// Event type (table 42-1).
    pub event_type: u8,
    /// The event's state ended, rather than began.
    pub deasserted: bool,
    /// Offset and what bytes 2 and 3 mean, then these bytes.
    pub data: [u8; 3],
}

/// A sensor of the chassis, by type and number.
type Sensor = (u8, u8);
const ACPI: Sensor = (0x22, 1);
const POWER_UNIT: Sensor = (0x09, 2);
const BOOT: Sensor = (0x1d, 3);
const SYSTEM: Sensor = (0x12, 4);

/// Sensor, offset and words of what the chassis logs.
const WORDS: &[(Sensor, u8, &str)] = &[
    (ACPI, 0, "the system is on"),
    (ACPI, 6, "the system is off"),
    (ACPI, 7, "the system is off, without mains power"),
    (POWER_UNIT, 1, "power cycle"),
    (POWER_UNIT, 4, "mains power lost"),
    (POWER_UNIT, 5, "the machine failed to do what it was told"),
    (BOOT, 0, "boot after power on"),
    (BOOT, 1, "boot after hard reset"),
    (BOOT, 3, "boot from the network, by override"),
    (BOOT, 5, "boot after a reset by the guest"),
    (SYSTEM, 1, "boot from another device, by override"),
];

impl Event {
    fn new((sensor_type, sensor): Sensor, offset: u8) -> Self {
        Self {
            generator: BMC,
            revision: REVISION,
            sensor_type,
            sensor,
            event_type: SENSOR_SPECIFIC,
            deasserted: false,
            data: [offset, 0xff, 0xff], // bytes 2 and 3: unspecified
        }
    }

    fn over(self) -> Self {
        Self {
            deasserted: true,
            ..self
        }
    }

    /// Reads the last nine bytes of a record.
    pub fn decode(bytes: [u8; 9]) -> Self {
        let [g0, g1, revision, sensor_type, sensor, kind, d1, d2, d3] = bytes;
        Self {
            generator: [g0, g1],
            revision,
            sensor_type,
            sensor,
            event_type: kind & !DEASSERTED,
            deasserted: kind & DEASSERTED != 0,
            data: [d1, d2, d3],
        }
    }

    /// The last nine bytes of a record.
    pub fn encode(&self) -> [u8; 9] {
        let [g0, g1] = self.generator;
        let kind = self.event_type & !DEASSERTED | if self.deasserted { DEASSERTED } else { 0 };
        let [d1, d2, d3] = self.data;
        [
            g0,
            g1,
            self.revision,
            self.sensor_type,
            self.sensor,
            kind,
            d1,
            d2,
            d3,
        ]
    }

    /// The event in words.
    pub fn words(&self) -> String {
        let offset = self.data[0] & 0x0f;
        let ours = (self.generator, self.event_type) == (BMC, SENSOR_SPECIFIC);
        let row = WORDS.iter().find(|((sensor_type, sensor), row, _)| {
            ours && (*sensor_type, *sensor, *row) == (self.sensor_type, self.sensor, offset)
        });
        let over = if self.deasserted { ": over" } else { "" };
        match row {
            Some((.., words)) => format!("{words}{over}"),
            None => format!(
                "sensor type {:02x}h, event type {:02x}h, offset {offset}{over}",
                self.sensor_type, self.event_type
            ),
        }
    }

    /// Whether something went wrong.
    pub fn is_trouble(&self) -> bool {
        let sensor = (self.sensor_type, self.sensor);
        sensor == POWER_UNIT && matches!(self.data[0] & 0x0f, 4 | 5) && !self.deasserted
    }

    /// What is to be logged of a step of the chassis.
    pub fn of(before: &Chassis, command: &Command, after: &Chassis) -> Vec<Self> {
        let on = |offset| Self::new(ACPI, offset);
        match *command {
            Command::Power(PowerCommand::Cycle, _) => vec![Self::new(POWER_UNIT, 1)],
            Command::Fact(Fact::Started(boot)) if after.is_on() => {
                let mut events = Vec::new();
                if !before.is_on() {
                    events.push(on(0));
                }
                events.push(Self::new(BOOT, 0));
                events.extend(boot.map(by_override));
                events
            }
            Command::Fact(Fact::WasReset(boot)) => {
                let mut events = vec![Self::new(BOOT, 1)];
                events.extend(boot.map(by_override));
                events
            }
            Command::Fact(Fact::GuestReset) if before.is_on() => {
                let mut events = vec![Self::new(BOOT, 5)];
                events.extend(before.boot.map(by_override));
                events
            }
            Command::Fact(Fact::MainsLost) if before.mains => {
                let mut events = vec![Self::new(POWER_UNIT, 4)];
                if before.is_on() {
                    events.push(on(7));
                }
                events
            }
            Command::Fact(Fact::MainsBack) if !before.mains => {
                vec![Self::new(POWER_UNIT, 4).over()]
            }
            Command::Fact(Fact::Failed) => vec![Self::new(POWER_UNIT, 5)],
            _ => match (before.power, after.power) {
                (Power::Off, Power::On) => vec![on(0)],
                (Power::On, Power::Off) => vec![on(6)],
                _ => Vec::new(),
            },
        }
    }
}

/// A boot that obeyed an override. Where table 42-3 has no word for it, bytes 2 and 3 say the device
/// as boot flags do (section 28.13), and for how long the override holds.
fn by_override(boot: BootOverride) -> Event {
    let device = match boot.source {
        BootSource::Pxe | BootSource::UefiHttp => return Event::new(BOOT, 3),
        BootSource::Hdd => 2,
        BootSource::Cd => 5,
        BootSource::BiosSetup => 6,
    };
    let lasting = boot.persistence == Persistence::Continuous;
    Event {
        // OEM codes in both bytes.
        data: [
            0xa1,
            device,
            u8::from(lasting) << 6 | u8::from(boot.efi) << 5,
        ],
        ..Event::new(SYSTEM, 1)
    }
}
