//! Where every value of a machine, router or network of Neco's menu comes from.

mod book;
mod machines;
mod routers;

use super::allocation::Allocation;
use super::{Beside, Inputs, Plan, checked};
use crate::explain::ExplainError;
use book::Book;
use placemat_spec::explain::{Explanation, Value, find};
use placemat_spec::problem::Findings;
use placemat_spec::{Problems, Source};
use std::path::Path;

/// Explains what has a name in the plan of a menu: `rack0-cs1`, `router/core`, `network/bmc`. Paths are
/// as if it were written to the folder `out`.
pub fn explain(
    source: &Source,
    beside: &dyn Beside,
    out: &Path,
    name: &str,
) -> Result<Explanation, ExplainError> {
    let mut inputs = Inputs {
        sources: vec![source.clone()],
    };
    let findings = Findings::new();
    let menu = checked(&mut inputs, beside, &findings);
    let warnings: Problems = findings.finish(&inputs.sources)?;
    let (menu, _) = menu.ok_or(warnings)?;
    let allocation = Allocation::new(&menu).noting();
    let plan = Plan::new(&menu, &allocation, out);
    let targets: Vec<String> = names(&plan).collect();
    let index = find(name, &targets)?;
    let book = Book::new(&inputs.sources, &menu, &plan, &allocation);
    Ok(Explanation {
        target: targets[index].clone(),
        values: values(&book, index),
    })
}

/// Every name of the plan, with the kind of what has it.
pub fn names(plan: &Plan) -> impl Iterator<Item = String> {
    let routers = plan.namespaces.iter().map(|it| ("router", &it.name));
    let nodes = plan.nodes.iter().map(|it| ("node", &it.name));
    let networks = plan.networks.iter().map(|it| ("network", &it.name));
    let all = routers.chain(nodes).chain(networks);
    all.map(|(kind, name)| format!("{kind}/{name}"))
}

/// Values of what comes at this place among the [`names`].
fn values(book: &Book, index: usize) -> Vec<Value> {
    let plan = book.plan;
    if let Some(router) = plan.namespaces.get(index) {
        return routers::router(book, router);
    }
    let index = index - plan.namespaces.len();
    match plan.nodes.get(index) {
        Some(node) => machines::node(book, node),
        None => routers::network(book, &plan.networks[index - plan.nodes.len()]),
    }
}
