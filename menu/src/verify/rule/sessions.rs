//! Both ends of each BGP session are there and fit each other.

use crate::verify::at;
use crate::verify::facts::Facts;
use crate::verify::site::Session;
use placemat_spec::Problem;

pub(in crate::verify) fn check(facts: &Facts, problems: &mut Vec<Problem>) {
    for (name, session) in facts.sessions() {
        let neighbor = session.neighbor;
        let Some((peer, back)) = facts.back(name, session) else {
            let message = format!("{name} speaks BGP to {neighbor}, which no machine has");
            let problem = Problem::new("no-neighbor", message);
            problems.push(at(problem, session.place, "speaks to nobody"));
            continue;
        };
        if peer == name {
            let message = format!("{name} speaks BGP to its own address {neighbor}");
            let problem = Problem::new("no-neighbor", message);
            problems.push(at(problem, session.place, "speaks to itself"));
            continue;
        }
        problems.extend(foreign(facts, name, session));
        problems.extend(apart(facts, name, session, peer));
        if back.is_none()
            && let Some(near) = facts.near(name, peer)
        {
            if name < peer {
                problems.push(crossed((name, session), (peer, near)));
            }
            continue;
        }
        let Some(back) = back else {
            let message =
                format!("{name} speaks BGP to {peer} at {neighbor}, which has no session back");
            let problem = Problem::new("one-sided-session", message);
            problems.push(at(problem, session.place, "the only end"));
            continue;
        };
        // What concerns both ends is told once.
        if name < peer {
            disagree(problems, (name, session), (peer, back));
        }
    }
}

/// Two ends that do not name each other's addresses.
fn crossed(ours: (&str, &Session), theirs: (&str, &Session)) -> Problem {
    let says = |(name, session): (&str, &Session)| {
        let from = session.local.map(|local| format!("from {local} "));
        format!(
            "{name} speaks {}to {}",
            from.unwrap_or_default(),
            session.neighbor
        )
    };
    let message = format!(
        "the session of {} and {}: their addresses do not match",
        ours.0, theirs.0
    );
    let problem = Problem::new("addresses-differ", message);
    let problem = problem.help(format!("{}, {}", says(ours), says(theirs)));
    let problem = at(problem, ours.1.place, "one end");
    at(problem, theirs.1.place, "the other end")
}

/// An own address that is not.
fn foreign(facts: &Facts, name: &str, session: &Session) -> Option<Problem> {
    let local = session.local?;
    let holder = facts.holder(local).map(|it| it.machine);
    if holder == Some(name) {
        return None;
    }
    let whose = holder.map_or("nobody has".into(), |other| format!("is {other}'s"));
    let message = format!("{name} speaks BGP from {local}, which {whose}");
    let problem = Problem::new("foreign-local", message);
    Some(at(problem, session.place, "not from here"))
}

/// A neighbor out of direct reach.
fn apart(facts: &Facts, name: &str, session: &Session, peer: &str) -> Option<Problem> {
    if session.multihop {
        return None;
    }
    let theirs = facts.holder(session.neighbor)?.network;
    let ours = session.local.and_then(|local| facts.holder(local)?.network);
    let direct = theirs.is_some_and(|network| {
        facts.is_on(name, network) && ours.is_none_or(|ours| ours == network)
    });
    if direct {
        return None;
    }
    let message = format!(
        "{name} speaks BGP to {peer} at {}, an address on no network of this session",
        session.neighbor
    );
    let problem = Problem::new("neighbor-out-of-reach", message);
    let problem = problem.help("the two ends need a network in common, or `multihop`");
    Some(at(problem, session.place, "not directly connected"))
}

fn disagree(problems: &mut Vec<Problem>, ours: (&str, &Session), theirs: (&str, &Session)) {
    let ((name, session), (peer, back)) = (ours, theirs);
    let mut tell = |code, what: &str, label: (&str, &str)| {
        let message = format!("the session of {name} and {peer}: {what}");
        let problem = at(Problem::new(code, message), session.place, label.0);
        problems.push(at(problem, back.place, label.1));
    };
    if session.passive && back.passive {
        let label = ("waits", "waits too");
        tell(
            "both-passive",
            "both ends wait for the other to connect",
            label,
        );
    }
    if session.bfd != back.bfd {
        let label = if session.bfd {
            ("has BFD", "has none")
        } else {
            ("has no BFD", "has it")
        };
        tell(
            "bfd-one-sided",
            "one end only has BFD, which thus never comes up",
            label,
        );
    }
    if session.multihop != back.multihop {
        let label = if session.multihop {
            ("multihop", "direct")
        } else {
            ("direct", "multihop")
        };
        tell("multihop-one-sided", "one end only is multihop", label);
    }
}
