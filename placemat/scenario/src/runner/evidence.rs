//! Evidence: what the lab looked like at the first failure, taken before anything is healed.

use crate::context::Context;
use crate::event::What;
use crate::port::ExecRequest;
use placemat_spec::resource::Tier;
use placemat_spec::selector::{Target, TargetKind};
use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A target that does not answer by then has no evidence.
const EACH: Duration = Duration::from_secs(5);
/// Longest text of one piece.
const LONGEST: usize = 64 * 1024;

/// Takes the standard evidence, once a scenario: routing state of everything that routes, boot
/// status of every server.
pub(crate) async fn take(cx: &Context) {
    if cx.case.evidence_taken.swap(true, Ordering::SeqCst) {
        return;
    }
    let cluster = cx.port().cluster();
    let target = |kind: TargetKind, name: &String| Target {
        kind,
        name: name.clone(),
    };
    let servers: Vec<Target> = cluster
        .nodes
        .keys()
        .map(|name| target(TargetKind::Node, name))
        .collect();
    let routing: Vec<Target> = cluster
        .routers
        .keys()
        .map(|name| target(TargetKind::Router, name))
        .chain(
            cluster
                .boot_servers
                .keys()
                .map(|name| target(TargetKind::BootServer, name)),
        )
        .chain(
            cluster
                .nodes
                .values()
                .filter(|node| node.tier != Tier::Mock)
                .map(|node| target(TargetKind::Node, &node.name)),
        )
        .collect();
    boots(cx, &servers).await;
    bgp(cx, &routing).await;
    bfd(cx, &routing).await;
    links(cx, &routing).await;
    routes(cx, &routing).await;
}

fn emit(cx: &Context, title: &str, mut text: String) {
    if text.is_empty() {
        return;
    }
    if text.len() > LONGEST {
        let mut end = LONGEST;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    let title = title.to_owned();
    cx.emit(|scenario, path| What::Evidence {
        scenario,
        path,
        title,
        text,
    });
}

async fn boots(cx: &Context, servers: &[Target]) {
    let answers = cx
        .each_within(servers, EACH, |port, node| async move {
            let powered = port.is_powered(&node).await?;
            Ok((powered, port.boot_status(&node).await?))
        })
        .await;
    let mut text = String::new();
    for (node, answer) in answers {
        let _ = match answer {
            Ok((powered, status)) => writeln!(
                text,
                "{node}: {}, phase {:?}, boots {}, image {}",
                if powered { "on" } else { "off" },
                status.phase,
                status.boots,
                status.image.as_deref().unwrap_or("not known")
            ),
            Err(error) => writeln!(text, "{node}: {error}"),
        };
    }
    emit(cx, "servers", text);
}

async fn bgp(cx: &Context, routing: &[Target]) {
    let answers = cx
        .each_within(routing, EACH, |port, at| async move { port.bgp(&at).await })
        .await;
    let mut text = String::new();
    for (at, answer) in answers {
        let _ = match answer {
            Ok(sessions) => {
                for session in sessions {
                    let neighbor = session.neighbor.map(|a| a.to_string()).unwrap_or_default();
                    let asn = session
                        .neighbor_as
                        .map(|a| format!(" AS{a}"))
                        .unwrap_or_default();
                    let error = session.last_error.unwrap_or_default();
                    let (name, state) = (session.name, session.state);
                    let _ = writeln!(text, "{at} {name} {neighbor}{asn} {state} {error}");
                }
                Ok(())
            }
            Err(error) => writeln!(text, "{at}: {error}"),
        };
    }
    emit(cx, "BGP sessions", text);
}

async fn bfd(cx: &Context, routing: &[Target]) {
    let answers = cx
        .each_within(routing, EACH, |port, at| async move { port.bfd(&at).await })
        .await;
    let mut text = String::new();
    for (at, answer) in answers {
        for session in answer.unwrap_or_default() {
            let _ = writeln!(
                text,
                "{at} {} {} {}",
                session.interface, session.neighbor, session.state
            );
        }
    }
    emit(cx, "BFD sessions", text);
}

async fn links(cx: &Context, routing: &[Target]) {
    let answers = cx
        .each_within(
            routing,
            EACH,
            |port, at| async move { port.links(&at).await },
        )
        .await;
    let mut text = String::new();
    for (at, answer) in answers {
        for link in answer.unwrap_or_default() {
            let _ = writeln!(
                text,
                "{at} {} {} {} rx {} tx {}",
                link.name,
                if link.up { "up" } else { "down" },
                if link.carrier {
                    "carrier"
                } else {
                    "no-carrier"
                },
                link.rx_packets,
                link.tx_packets
            );
        }
    }
    emit(cx, "links", text);
}

async fn routes(cx: &Context, routing: &[Target]) {
    let answers = cx
        .each_within(routing, EACH, |port, at| async move {
            let argv = ["ip", "route", "show"].map(str::to_owned).to_vec();
            port.exec(
                &at,
                ExecRequest {
                    argv,
                    ..ExecRequest::default()
                },
            )
            .await
        })
        .await;
    for (at, answer) in answers {
        if let Ok(output) = answer {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            emit(cx, &format!("routes of {at}"), text);
        }
    }
}
