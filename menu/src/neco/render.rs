//! Plan to files. Each kind of file is a row of [`ARTIFACTS`] and a template; seeds have their own
//! templates, which are not ours.

mod chrony;

use super::Plan;
use crate::File;
use crate::render::{Artifact, Template, Templates, render_with};
use minijinja::Error;
use placemat_spec::Problems;

/// Everything that is written, in order.
const ARTIFACTS: &[Artifact<Plan>] = &[
    cluster,
    bird,
    scripts,
    squid,
    chrony::render,
    machines,
    network,
    sabakan,
];

/// Every template by name.
const TEMPLATES: &[Template] = &[
    (
        "cluster.yml",
        include_str!("../../templates/neco/cluster.yml.j2"),
    ),
    (
        "head.conf",
        include_str!("../../templates/neco/head.conf.j2"),
    ),
    (
        "bird_core.conf",
        include_str!("../../templates/neco/bird_core.conf.j2"),
    ),
    (
        "bird_spine.conf",
        include_str!("../../templates/neco/bird_spine.conf.j2"),
    ),
    (
        "bird_tor.conf",
        include_str!("../../templates/neco/bird_tor.conf.j2"),
    ),
    (
        "setup-iptables",
        include_str!("../../templates/neco/setup-iptables.j2"),
    ),
    (
        "setup-iptables-spine",
        include_str!("../../templates/neco/setup-iptables-spine.j2"),
    ),
    (
        "setup-default-gateway",
        include_str!("../../templates/neco/setup-default-gateway.j2"),
    ),
    (
        "squid.conf",
        include_str!("../../templates/neco/squid.conf.j2"),
    ),
    (
        "chrony-ign.yml",
        include_str!("../../templates/neco/chrony-ign.yml.j2"),
    ),
    (
        "chrony.conf",
        include_str!("../../templates/neco/chrony.conf.j2"),
    ),
    (
        "chrony.network",
        include_str!("../../templates/neco/chrony.network.j2"),
    ),
    (
        "chrony.service",
        include_str!("../../templates/neco/chrony.service.j2"),
    ),
    (
        "machines.yml",
        include_str!("../../templates/neco/machines.yml.j2"),
    ),
    (
        "network.yml",
        include_str!("../../templates/neco/network.yml.j2"),
    ),
    (
        "machines.json",
        include_str!("../../templates/neco/machines.json.j2"),
    ),
];

/// All files of a plan but the seeds.
pub(super) fn render(plan: &Plan) -> Result<Vec<File>, Problems> {
    render_with(plan, ARTIFACTS, TEMPLATES, &[])
}

fn cluster(plan: &Plan, templates: &Templates) -> Result<Vec<File>, Error> {
    Ok(vec![templates.file("cluster.yml", "cluster.yml", plan)?])
}

/// `bird_NAME.conf`: the core, spines and `ToR`s.
fn bird(plan: &Plan, templates: &Templates) -> Result<Vec<File>, Error> {
    let path = |name: &str| format!("bird_{name}.conf");
    let mut files = vec![templates.file(path("core"), "bird_core.conf", &plan.core)?];
    for spine in &plan.spines {
        files.push(templates.file(path(&spine.name), "bird_spine.conf", spine)?);
    }
    for tor in &plan.tors {
        files.push(templates.file(path(&tor.name), "bird_tor.conf", tor)?);
    }
    Ok(files)
}

/// The init scripts of namespaces.
fn scripts(plan: &Plan, templates: &Templates) -> Result<Vec<File>, Error> {
    let nat = &plan.nat;
    let gateway = |client: &str, gateway: std::net::Ipv4Addr| {
        let data = [("gateway", gateway)]
            .into_iter()
            .collect::<std::collections::BTreeMap<_, _>>();
        templates.file(
            format!("setup-default-gateway-{client}"),
            "setup-default-gateway",
            data,
        )
    };
    let mut files = vec![
        templates.file("setup-iptables", "setup-iptables", nat)?,
        templates.file("setup-iptables-spine", "setup-iptables-spine", nat)?,
        gateway("operation", nat.operation)?,
        gateway("external", nat.external)?,
    ];
    for file in &mut files {
        file.mode = 0o755;
    }
    Ok(files)
}

fn squid(_: &Plan, templates: &Templates) -> Result<Vec<File>, Error> {
    Ok(vec![templates.file("squid.conf", "squid.conf", ())?])
}

fn machines(plan: &Plan, templates: &Templates) -> Result<Vec<File>, Error> {
    Ok(vec![templates.file(
        "machines.yml",
        "machines.yml",
        plan,
    )?])
}

fn network(_: &Plan, templates: &Templates) -> Result<Vec<File>, Error> {
    Ok(vec![templates.file("network.yml", "network.yml", ())?])
}

/// What sabakan registers.
fn sabakan(plan: &Plan, templates: &Templates) -> Result<Vec<File>, Error> {
    Ok(vec![templates.file(
        "sabakan/machines.json",
        "machines.json",
        plan,
    )?])
}
