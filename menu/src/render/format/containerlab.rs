//! `NAME.clab.yml`: the routers of a data center for containerlab. A link whose other end is no
//! router leads nowhere there.

use crate::render::{File, Templates};
use crate::topology::{Plan, Router};
use indexmap::IndexMap;
use serde::Serialize;

/// What the template sees.
#[derive(Serialize)]
struct Context<'p> {
    /// Name of the data center.
    name: &'p str,
    /// Every router.
    routers: &'p [Router],
    /// What joins two of them.
    links: Vec<Link<'p>>,
    /// What else they are plugged into, by router.
    loose: IndexMap<&'p str, Vec<&'p str>>,
}

/// A link between two routers.
#[derive(Serialize)]
struct Link<'p> {
    /// Name of the network.
    network: &'p str,
    /// `ROUTER:INTERFACE` of both ends.
    ends: [String; 2],
}

pub(super) fn render(plan: &Plan, templates: &Templates) -> Result<Vec<File>, minijinja::Error> {
    let mut ends: IndexMap<&str, Vec<(&str, &str)>> = IndexMap::new();
    for router in &plan.routers {
        for interface in &router.interfaces {
            let end = (router.speaker.name.as_str(), interface.name.as_str());
            ends.entry(&interface.network).or_default().push(end);
        }
    }
    let mut context = Context {
        name: &plan.name,
        routers: &plan.routers,
        links: Vec::new(),
        loose: plan
            .routers
            .iter()
            .map(|it| (it.speaker.name.as_str(), Vec::new()))
            .collect(),
    };
    for (network, ends) in ends {
        if let [one, other] = ends.as_slice() {
            let ends = [one, other].map(|(router, interface)| format!("{router}:{interface}"));
            context.links.push(Link { network, ends });
            continue;
        }
        for (router, interface) in ends {
            context.loose.entry(router).or_default().push(interface);
        }
    }
    let path = format!("{}.clab.yml", plan.name);
    Ok(vec![templates.file(path, "containerlab.yml", context)?])
}
