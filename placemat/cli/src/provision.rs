//! What a lab needs of the host before it goes into its namespaces: OCI images in the cache, and
//! control groups.

use crate::exit::{self, Code, Failure};
use anyhow::Context;
use placemat_host::cgroup::{self, Support, Tree};
use placemat_lab::oci::{Images, Store};
use placemat_lab::registry::Claim;
use placemat_spec::{Cluster, Problem};
use std::path::Path;

/// What was made ready.
#[derive(Debug, Default)]
pub(crate) struct Provisions {
    /// Unpacked images.
    pub(crate) images: Images,
    /// Control groups, where something is limited.
    pub(crate) groups: Option<Tree>,
}

/// Makes everything ready that the cluster asks for.
pub(crate) fn make(cluster: &Cluster, claim: &Claim, cache: &Path) -> Result<Provisions, Failure> {
    let images = images(cluster, cache)?;
    let groups = match support(cluster)? {
        Some(support) => {
            let groups = Tree::create(&support, &claim.card.id)
                .context("make control groups for the limits of routers")
                .code(exit::HOST)?;
            claim.note_groups(groups.folders()).code(exit::HOST)?;
            Some(groups)
        }
        None => None,
    };
    Ok(Provisions { images, groups })
}

/// OCI images, in the cache.
pub(crate) fn images(cluster: &Cluster, cache: &Path) -> Result<Images, Failure> {
    Images::prepare(cluster, &Store::new(cache)).map_err(|problems| Failure::of_host(&problems))
}

/// Whether limits can be had, if there are any: refused with the lines that ask.
pub(crate) fn check(cluster: &Cluster) -> Result<(), Failure> {
    support(cluster).map(drop)
}

fn support(cluster: &Cluster) -> Result<Option<Support>, Failure> {
    let mut limited = cluster
        .routers
        .values()
        .filter_map(|router| Some((router, router.limits.as_ref()?)))
        .peekable();
    if limited.peek().is_none() {
        return Ok(None);
    }
    let refused = match cgroup::probe() {
        Ok(support) => return Ok(Some(support)),
        Err(refused) => refused,
    };
    let problems = limited.map(|(router, limits)| {
        Problem::new(
            "no-limits",
            format!("this host cannot limit Router `{}`: {refused}", router.name),
        )
        .at(limits.place, "asked for here")
        .help(refused.remedy.clone())
    });
    Err(Failure::of_host(&cluster.problems(problems.collect())))
}
