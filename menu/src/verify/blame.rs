//! Who is to mend what verification finds: whoever wrote a template, or placemat.

use placemat_spec::Problems;

/// Templates that are named; of the others, how many.
const NAMED: usize = 3;

/// Problems, with a help where they have none. `templates`: those of one's own, as files.
pub(super) fn told(mut problems: Problems, templates: &[String]) -> Problems {
    let help = match templates {
        [] => "placemat took the rack spec and made this of it, which is a fault of placemat: please report it \
               with the rack spec"
            .to_owned(),
        own => format!(
            "this is read from what templates made, and some are your own: {}; `placemat menu --print-template \
             NAME` prints the built-in one",
            listed(own)
        ),
    };
    for problem in &mut problems.list {
        problem.help.get_or_insert_with(|| help.clone());
    }
    problems
}

fn listed(templates: &[String]) -> String {
    let named = templates.iter().take(NAMED).map(String::as_str);
    let named = named.collect::<Vec<_>>().join(", ");
    match templates.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
