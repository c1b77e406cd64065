//! Traffic control: queueing disciplines and filters of a link (tc(8), linux/pkt_sched.h,
//! linux/pkt_cls.h). The few that impair links are packed by hand: rtnetlink crates know none of them.

use super::{CREATE, Netlink, NetlinkError};
use crate::impair::Effects;
use netlink_packet_core::{DefaultNla, NLM_F_CREATE, NLM_F_REPLACE};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::tc::{TcAttribute, TcHandle, TcHeader, TcMessage};
use std::time::Duration;

/// `TC_H_ROOT`.
const ROOT: u32 = 0xffff_ffff;
/// `TC_H_CLSACT`, and what hangs on it.
const CLSACT: u32 = 0xffff_fff1;
const CLSACT_HANDLE: u32 = 0xffff_0000;
/// `TCA_OPTIONS`.
const OPTIONS: u16 = 2;
/// `ETH_P_ALL` in network byte order, priority left to the kernel.
const EVERY_PROTOCOL: u32 = 0x0300;
/// Most frames that netem holds back.
const NETEM_LIMIT: u32 = 10_000;
/// Longest wait of what a rate holds back, as a share of a second: more is dropped.
pub(crate) const BACKLOG: Duration = Duration::from_millis(200);

/// Where on a link a filter looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// What it receives.
    Ingress,
    /// What it sends.
    Egress,
}

impl Hook {
    fn parent(self) -> u32 {
        match self {
            Self::Ingress => 0xffff_fff2,
            Self::Egress => 0xffff_fff3,
        }
    }
}

/// What a filter does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Filter {
    /// Drops this share of all frames, from 0 to 1. The sender does not learn of it.
    Drop(f64),
    /// Sends every frame out of the link with this index instead, but for those with this mark.
    Redirect {
        /// Index of the other link.
        to: u32,
        /// Mark (`SO_MARK`) of what goes its way.
        but: u32,
    },
}

impl Netlink {
    /// Gives a link the hooks that [`Netlink::add_filter`] takes.
    pub fn add_hooks(&mut self, index: u32) -> Result<(), NetlinkError> {
        let message = message(index, CLSACT_HANDLE, CLSACT, 0, "clsact", None);
        let message = RouteNetlinkMessage::NewQueueDiscipline(message);
        self.request(message, CREATE, || format!("add hooks to link {index}"))
    }

    /// Takes the hooks off, with their filters. None there is no error.
    pub fn remove_hooks(&mut self, index: u32) -> Result<(), NetlinkError> {
        let message = message(index, CLSACT_HANDLE, CLSACT, 0, "clsact", None);
        self.remove_discipline(message, || format!("remove hooks of link {index}"))
    }

    /// Adds a filter to a link that has hooks.
    pub fn add_filter(
        &mut self,
        index: u32,
        hook: Hook,
        filter: Filter,
    ) -> Result<(), NetlinkError> {
        let options = bpf(hook, filter);
        let message = message(
            index,
            0,
            hook.parent(),
            EVERY_PROTOCOL,
            "bpf",
            Some(options),
        );
        let message = RouteNetlinkMessage::NewTrafficFilter(message);
        self.request(message, CREATE, || format!("add a filter to link {index}"))
    }

    /// Lets a link send at most `rate` bits a second (tc-tbf(8)).
    pub fn shape(&mut self, index: u32, rate: u64, mtu: u32) -> Result<(), NetlinkError> {
        self.set_root(index, "tbf", tbf(rate, mtu))
    }

    /// Impairs what a link sends (tc-netem(8)).
    pub fn emulate(&mut self, index: u32, effects: &Effects) -> Result<(), NetlinkError> {
        self.set_root(index, "netem", netem(effects))
    }

    /// Gives a link its default discipline back.
    pub fn remove_root(&mut self, index: u32) -> Result<(), NetlinkError> {
        let message = message(index, 0, ROOT, 0, "", None);
        self.remove_discipline(message, || format!("remove the discipline of link {index}"))
    }

    fn set_root(&mut self, index: u32, kind: &str, options: Vec<u8>) -> Result<(), NetlinkError> {
        let message = message(index, 0, ROOT, 0, kind, Some(options));
        let message = RouteNetlinkMessage::NewQueueDiscipline(message);
        self.request(message, NLM_F_CREATE | NLM_F_REPLACE, || {
            format!("put {kind} on link {index}")
        })
    }

    fn remove_discipline(
        &mut self,
        message: TcMessage,
        act: impl FnOnce() -> String,
    ) -> Result<(), NetlinkError> {
        let removed = self.request(RouteNetlinkMessage::DelQueueDiscipline(message), 0, act);
        match removed {
            // The kernel says it in either way when there is none.
            Err(error)
                if matches!(
                    error.source.raw_os_error(),
                    Some(libc::ENOENT | libc::EINVAL)
                ) =>
            {
                Ok(())
            }
            done => done,
        }
    }
}

fn message(
    index: u32,
    handle: u32,
    parent: u32,
    info: u32,
    kind: &str,
    options: Option<Vec<u8>>,
) -> TcMessage {
    let header = TcHeader {
        index: index.cast_signed(),
        handle: TcHandle::from(handle),
        parent: TcHandle::from(parent),
        info,
        ..TcHeader::default()
    };
    let mut attributes = Vec::new();
    if !kind.is_empty() {
        attributes.push(TcAttribute::Kind(kind.to_owned()));
    }
    attributes.extend(options.map(|bytes| TcAttribute::Other(DefaultNla::new(OPTIONS, bytes))));
    TcMessage::from_parts(header, attributes)
}

/// One attribute: length, type, value, padding.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// A share as the kernel has it: of 2^32 - 1.
fn share(fraction: f64) -> u32 {
    // A cast from float saturates.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let share = (fraction * f64::from(u32::MAX)).round() as u32;
    share
}

/// `struct tc_netem_qopt` and what follows it. Times in nanoseconds are attributes of their own.
fn netem(effects: &Effects) -> Vec<u8> {
    let gap = u32::from(effects.reorder > 0.0);
    let mut bytes = words(&[
        0,
        NETEM_LIMIT,
        share(effects.loss),
        gap,
        share(effects.duplicate),
        0,
    ]);
    if effects.reorder > 0.0 {
        bytes.extend(attribute(3, &words(&[share(effects.reorder), 0])));
    }
    if effects.corrupt > 0.0 {
        bytes.extend(attribute(4, &words(&[share(effects.corrupt), 0])));
    }
    if let Some(rate) = effects.rate {
        let bytes_a_second = rate / 8;
        let short = u32::try_from(bytes_a_second).unwrap_or(u32::MAX);
        bytes.extend(attribute(6, &words(&[short, 0, 0, 0])));
        if u64::from(short) != bytes_a_second {
            bytes.extend(attribute(8, &bytes_a_second.to_ne_bytes()));
        }
    }
    for (kind, time) in [(10, effects.delay), (11, effects.jitter)] {
        let nanoseconds = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        bytes.extend(attribute(kind, &nanoseconds.to_ne_bytes()));
    }
    bytes
}

/// `TCA_TBF_PARMS` with a link layer, so that the kernel wants no rate table, and `TCA_TBF_BURST`.
fn tbf(rate: u64, mtu: u32) -> Vec<u8> {
    let bytes_a_second = rate / 8;
    let short = u32::try_from(bytes_a_second).unwrap_or(u32::MAX);
    // A hundredth of a second, and no frame may be larger.
    let burst = u32::try_from(bytes_a_second / 100).unwrap_or(u32::MAX / 2);
    let burst = burst.max(2 * (mtu + 100));
    let backlog = bytes_a_second * u64::try_from(BACKLOG.as_millis()).unwrap_or(0) / 1000;
    let limit = u32::try_from(backlog).unwrap_or(u32::MAX).max(10 * mtu);
    let limit = limit.saturating_add(burst);
    // `struct tc_ratespec`: cell_log, linklayer (Ethernet), overhead, cell_align -1, mpu, rate.
    let mut parameters = vec![3, 1, 0, 0, 0xff, 0xff, 0, 0];
    parameters.extend(words(&[short, 0, 0, 0, limit, 0, 0]));
    let mut bytes = attribute(1, &parameters);
    if u64::from(short) != bytes_a_second {
        bytes.extend(attribute(4, &bytes_a_second.to_ne_bytes()));
    }
    bytes.extend(attribute(6, &burst.to_ne_bytes()));
    bytes
}

/// One instruction of classic BPF (linux/filter.h): code, jump if true, jump if false, operand.
type Instruction = (u16, u8, u8, u32);
/// Loads from `SKF_AD_OFF`: a random number, and the mark.
const LOAD_RANDOM: Instruction = (0x20, 0, 0, 0xffff_f038);
const LOAD_MARK: Instruction = (0x20, 0, 0, 0xffff_f014);
const RETURN: u16 = 0x06;
/// `TC_ACT_SHOT`, and `TC_ACT_STOLEN`, which looks to a sender as if the frame had gone.
const SHOT: u32 = 2;
const STOLEN: u32 = 4;

fn bpf(hook: Hook, filter: Filter) -> Vec<u8> {
    let drop = match hook {
        Hook::Ingress => SHOT,
        Hook::Egress => STOLEN,
    };
    match filter {
        Filter::Drop(fraction) => {
            let pass_up_to = share(1.0 - fraction);
            let program = if fraction >= 1.0 {
                vec![(RETURN, 0, 0, drop)]
            } else {
                vec![
                    LOAD_RANDOM,
                    (0x25, 0, 1, pass_up_to),
                    (RETURN, 0, 0, drop),
                    (RETURN, 0, 0, 0),
                ]
            };
            let mut bytes = instructions(&program);
            // TCA_BPF_FLAGS: what the program returns is what is done.
            bytes.extend(attribute(8, &1_u32.to_ne_bytes()));
            bytes
        }
        Filter::Redirect { to, but } => {
            let mirred = attribute(2, &words(&[0, 0, STOLEN, 0, 0, 1, to]));
            let mut action = attribute(1, b"mirred\0");
            action.extend(attribute(2 | 0x8000, &mirred));
            let mut bytes = attribute(1, &attribute(1, &action));
            bytes.extend(instructions(&[
                LOAD_MARK,
                (0x15, 0, 1, but),
                (RETURN, 0, 0, 0),
                (RETURN, 0, 0, u32::MAX),
            ]));
            bytes
        }
    }
}

/// `TCA_BPF_OPS_LEN` and `TCA_BPF_OPS`.
fn instructions(program: &[Instruction]) -> Vec<u8> {
    let count = u16::try_from(program.len()).unwrap_or(u16::MAX);
    let mut bytes = attribute(4, &count.to_ne_bytes());
    let code: Vec<u8> = program
        .iter()
        .flat_map(|(code, yes, no, operand)| {
            let mut bytes = code.to_ne_bytes().to_vec();
            bytes.extend([*yes, *no]);
            bytes.extend(operand.to_ne_bytes());
            bytes
        })
        .collect();
    bytes.extend(attribute(5, &code));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write as _;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// What tc of iproute2 6.1 sends for `netem limit 10000 delay 10ms 3ms loss 1% duplicate 2%
    /// reorder 25% corrupt 0.5% rate 10mbit`, but for its times in ticks (the first and the last
    /// word of the structure), which ours has in nanoseconds at the end.
    #[test]
    fn netem_is_what_tc_sends() {
        let effects = Effects {
            delay: Duration::from_millis(10),
            jitter: Duration::from_millis(3),
            loss: 0.01,
            rate: Some(10_000_000),
            corrupt: 0.005,
            duplicate: 0.02,
            reorder: 0.25,
        };
        let tc = "00000000102700002 95c8f020100000052b81e0500000000\
                  0c000300000000400000000 00c00040014ae470100000000\
                  14000600d0121300000000000000000000000000";
        let times = "0c000a0080969800000000000c000b00c0c62d0000000000";
        assert_eq!(hex(&netem(&effects)), tc.replace(' ', "") + times);
    }

    /// What tc sends for `bpf da bytecode '4,32 0 0 4294963256,37 0 1 3435973836,6 0 0 4,6 0 0 0,'`.
    #[test]
    fn a_lossy_filter_is_what_tc_sends() {
        let tc = "0600040004000000\
                  2400050020000000 38f0ffff25000001cccccccc06000000040000000600000000000000\
                  0800080001000000";
        let ours = bpf(Hook::Egress, Filter::Drop(0.2));
        assert_eq!(hex(&ours), tc.replace(' ', ""));
    }

    /// As `action mirred egress redirect dev w` is sent, with a program that looks at the mark.
    #[test]
    fn a_redirect_is_what_tc_sends() {
        let tc = "3800010034000100 0b0001006d69727265640000\
                  24000280 20000200 0000000000000000040000000000000000000000 0100000004000000";
        let ours = hex(&bpf(Hook::Egress, Filter::Redirect { to: 4, but: 7 }));
        assert!(ours.starts_with(&tc.replace(' ', "")), "{ours}");
    }

    /// As tc sends `tbf rate 10mbit`, with burst and limit of our own and no rate table.
    #[test]
    fn a_rate_is_what_tc_sends() {
        let tc = "28000100 03010000ffff0000d0121300 000000000000000000000000 ";
        let ours = hex(&tbf(10_000_000, 1500));
        assert!(ours.starts_with(&tc.replace(' ', "")), "{ours}");
    }

    proptest! {
        #[test]
        fn no_rate_of_a_file_holds_back_less_than_a_burst(
            rate in 1_000_u64..=1_000_000_000_000,
            mtu in 68_u32..=65_535,
        ) {
            let bytes = tbf(rate, mtu);
            let word = |at: usize| u32::from_ne_bytes(bytes[at..at + 4].try_into().expect("4"));
            // `limit` of `struct tc_tbf_qopt`, and the burst, the last of all.
            prop_assert!(word(28) >= word(bytes.len() - 4));
        }
    }
}
