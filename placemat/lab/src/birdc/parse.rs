//! Tables that BIRD prints. The same text comes from `birdc` inside a VM.

use placemat_spec::session::{BfdSession, BgpSession};

/// Parses `show protocols all`.
pub fn bgp_sessions(text: &str) -> Vec<BgpSession> {
    let mut sessions: Vec<BgpSession> = Vec::new();
    let mut in_bgp = false;
    for line in text.lines() {
        if !line.starts_with(' ') && !line.is_empty() {
            // NAME PROTO TABLE STATE SINCE INFO
            let words: Vec<&str> = line.split_whitespace().collect();
            in_bgp = words.get(1) == Some(&"BGP");
            if in_bgp && let Some(name) = words.first() {
                sessions.push(BgpSession {
                    name: (*name).to_owned(),
                    neighbor: None,
                    neighbor_as: None,
                    state: "Down".into(),
                    last_error: None,
                });
            }
            continue;
        }
        let (true, Some(session), Some((key, value))) =
            (in_bgp, sessions.last_mut(), line.trim().split_once(':'))
        else {
            continue;
        };
        let value = value.trim();
        match key {
            "BGP state" => value.clone_into(&mut session.state),
            "Neighbor address" => {
                // A link-local address carries its interface: `fe80::1%eth0`.
                let address = value.split('%').next().unwrap_or(value);
                session.neighbor = address.parse().ok();
            }
            "Neighbor AS" => session.neighbor_as = value.parse().ok(),
            "Last error" => session.last_error = Some(value.to_owned()),
            _ => {}
        }
    }
    sessions
}

/// Parses `show bfd sessions`.
pub fn bfd_sessions(text: &str) -> Vec<BfdSession> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let neighbor = words.next()?.parse().ok()?;
            let interface = words.next()?.to_owned();
            let state = words.next()?.to_owned();
            Some(BfdSession {
                neighbor,
                interface,
                state,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Captured from BIRD 2.0.12.
    const PROTOCOLS: &str = "\
Name       Proto      Table      State  Since         Info
device1    Device     ---        up     12:00:00.000  
tor1       BGP        ---        up     12:00:01.000  Established   
  BGP state:          Established
    Neighbor address: 10.72.1.1
    Neighbor AS:      64600
    Local AS:         64599
tor2       BGP        ---        start  12:00:01.000  Active        Socket: Connection refused
  BGP state:          Active
    Neighbor address: 10.72.1.3
    Neighbor AS:      64600
    Last error:       Socket: Connection refused
off        BGP        ---        down   12:00:01.000  
";

    #[test]
    fn sessions_with_states_and_errors() {
        let sessions = bgp_sessions(PROTOCOLS);
        assert_eq!(sessions.len(), 3);
        assert_eq!(sessions[0].state, "Established");
        assert_eq!(sessions[0].neighbor_as, Some(64600));
        assert_eq!(
            sessions[1].last_error.as_deref(),
            Some("Socket: Connection refused")
        );
        assert_eq!(sessions[2].state, "Down");
    }

    #[test]
    fn bfd_table() {
        let text = "\
bfd1:
IP address                Interface  State      Since         Interval  Timeout
10.72.1.1                 eth0       Up         12:00:02.000    0.400    2.000
";
        let sessions = bfd_sessions(text);
        assert_eq!(sessions.len(), 1);
        assert_eq!(sessions[0].interface, "eth0");
        assert_eq!(sessions[0].state, "Up");
    }
}
