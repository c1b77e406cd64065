//! What passes between the lab and a container's init: one JSON object a packet, descriptors beside.

use super::settings::Settings;
use crate::descriptor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::OwnedFd;

/// Longest packet in bytes; argument lists are far below.
const LONGEST: usize = 128 * 1024;

/// To init.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Start a program; three descriptors come with it.
    Spawn {
        id: u64,
        argv: Vec<String>,
        env: Vec<(String, String)>,
        terminal: bool,
        settings: Box<Settings>,
    },
    /// Signal a program's process group.
    Signal { id: u64, signal: i32 },
}

/// From init.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    /// The container is set up.
    Ready,
    /// It could not be set up.
    Broken { reason: String },
    /// The program was executed.
    Started { id: u64 },
    /// It was not.
    Refused { id: u64, reason: String },
    /// It has ended.
    Ended { id: u64, exit: i32 },
}

pub(super) fn send(socket: &OwnedFd, message: &impl Serialize, fds: &[OwnedFd]) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    if bytes.len() > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "arguments are too long",
        ));
    }
    descriptor::send(socket, &bytes, fds).map(|_| ())
}

/// `None` at end of file.
pub(super) fn receive<T: DeserializeOwned>(
    socket: &OwnedFd,
) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut bytes = vec![0; LONGEST];
    let (length, fds) = descriptor::receive(socket, &mut bytes)?;
    if length == 0 {
        return Ok(None);
    }
    Ok(Some((serde_json::from_slice(&bytes[..length])?, fds)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
    use proptest::prelude::*;

    fn pair() -> (OwnedFd, OwnedFd) {
        socketpair(
            AddressFamily::Unix,
            SockType::SeqPacket,
            None,
            SockFlag::SOCK_CLOEXEC,
        )
        .expect("a socket pair")
    }

    proptest! {
        #[test]
        fn orders_arrive_as_they_were_sent(
            number in any::<u64>(),
            words in proptest::collection::vec(".*", 0..8),
            keys in proptest::collection::vec(("[A-Z]{1,8}", ".*"), 0..4),
            on_terminal in any::<bool>(),
        ) {
            let (near, far) = pair();
            let order = Order::Spawn {
                id: number,
                argv: words.clone(),
                env: keys.clone(),
                terminal: on_terminal,
                settings: Box::new(Settings {
                    user: words.first().cloned(),
                    ..Settings::default()
                }),
            };
            let null = || OwnedFd::from(std::fs::File::open("/dev/null").expect("/dev/null"));
            send(&near, &order, &[null(), null(), null()]).expect("sent");
            let (order, fds) = receive::<Order>(&far).expect("received").expect("a packet");
            prop_assert_eq!(fds.len(), 3);
            let Order::Spawn { id, argv, env, terminal, settings } = order else {
                return Err(TestCaseError::fail("another order"));
            };
            prop_assert_eq!(settings.user.as_ref(), words.first());
            prop_assert_eq!((id, argv, env, terminal), (number, words, keys, on_terminal));
        }

        #[test]
        fn junk_is_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
            let (near, far) = pair();
            descriptor::send(&near, &bytes, &[]).expect("sent");
            prop_assert!(receive::<Order>(&far).is_err());
        }
    }

    #[test]
    fn the_end_is_seen_and_what_is_too_long_is_refused() {
        let (near, far) = pair();
        let long = Reply::Broken {
            reason: "x".repeat(LONGEST),
        };
        assert!(send(&near, &long, &[]).is_err());
        drop(near);
        assert!(receive::<Reply>(&far).expect("no error").is_none());
    }
}
