//! Cloud-init seeds: the templates that servers name, read and parsed before anything is written, and
//! rendered for each of their servers. A template is one of Go's, or minijinja's where its name ends
//! in `.j2`.

mod data;

use super::gotemplate::Template;
use super::input::{Menu, ServerType};
use super::plan::{Plan, Rack, Server};
use super::{Beside, Inputs};
use crate::place::place;
use crate::render::{self, File};
use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind};
use placemat_spec::Problem;
use placemat_spec::problem::Findings;
use std::collections::HashSet;

/// A parsed template.
enum Parsed {
    /// Go's.
    Go(Template),
    /// Minijinja's, which is parsed again for each use: it borrows its text.
    Jinja,
}

/// Every template that could be parsed, with the number of its source.
pub(super) struct Templates(Vec<(usize, Parsed)>);

/// Reads and parses the templates that servers name.
pub(super) fn templates<'a>(
    types: impl Iterator<Item = &'a ServerType>,
    inputs: &mut Inputs,
    beside: &dyn Beside,
    findings: &Findings,
) -> Templates {
    let mut parsed: Vec<(usize, Parsed)> = Vec::new();
    for file in types.filter_map(|server| server.template.as_ref()) {
        let Some(index) = inputs.open(file, "the template of the seed", beside, findings) else {
            continue;
        };
        if parsed.iter().any(|(known, _)| *known == index) {
            continue;
        }
        let text = std::sync::Arc::clone(&inputs.sources[index].text);
        if is_jinja(&file.value) {
            match environment(&text) {
                Ok(_) => parsed.push((index, Parsed::Jinja)),
                Err(error) => findings.error(of_jinja(index, &text, &error)),
            }
            continue;
        }
        match Template::parse(&text) {
            Ok(template) => parsed.push((index, Parsed::Go(template))),
            Err(error) => findings.error(of_go(index, &text, error)),
        }
    }
    Templates(parsed)
}

/// The seed of every server that has a template.
pub(super) fn render(
    menu: &Menu,
    plan: &Plan,
    templates: &Templates,
    inputs: &Inputs,
    findings: &Findings,
) -> Vec<File> {
    let mut told = HashSet::new();
    let mut files = Vec::new();
    let types = &menu.types;
    for rack in &plan.racks {
        let boot = std::slice::from_ref(&rack.boot);
        let all = [
            (Some(&types.boot), boot),
            (types.cs.as_ref(), &rack.cs),
            (types.ss.as_ref(), &rack.ss),
        ];
        for (kind, servers) in all {
            let Some((index, parsed)) = kind.and_then(|kind| find(kind, templates, inputs)) else {
                continue;
            };
            for server in servers {
                match one(menu, rack, server, parsed, &inputs.sources[*index].text) {
                    Ok(contents) => files.push(File {
                        path: format!("seed_{}.yml", server.name).into(),
                        contents,
                        mode: 0o644,
                    }),
                    Err(wrong) => {
                        let problem = wrong.problem(*index, &inputs.sources[*index].text);
                        // What is wrong for one server is most often wrong for all.
                        if told.insert((
                            *index,
                            problem.place().map(|place| place.offset),
                            problem.message.clone(),
                        )) {
                            findings.error(problem);
                        }
                    }
                }
            }
        }
    }
    files
}

fn find<'a>(
    kind: &ServerType,
    templates: &'a Templates,
    inputs: &Inputs,
) -> Option<&'a (usize, Parsed)> {
    let file = kind.template.as_ref()?;
    let name = inputs.shown(&file.value);
    templates
        .0
        .iter()
        .find(|(index, _)| inputs.sources[*index].name == name)
}

/// Why there is no seed.
enum Wrong {
    Go(super::gotemplate::Error),
    Jinja(minijinja::Error),
}

impl Wrong {
    fn problem(self, index: usize, text: &str) -> Problem {
        match self {
            Self::Go(error) => of_go(index, text, error),
            Self::Jinja(error) => of_jinja(index, text, &error),
        }
    }
}

fn one(
    menu: &Menu,
    rack: &Rack,
    server: &Server,
    parsed: &Parsed,
    text: &str,
) -> Result<String, Wrong> {
    match parsed {
        Parsed::Go(template) => template.render(&data::go(rack, server)).map_err(Wrong::Go),
        Parsed::Jinja => {
            let environment = environment(text).map_err(Wrong::Jinja)?;
            let template = environment.get_template(SEED).map_err(Wrong::Jinja)?;
            let data = data::jinja(menu, rack, server);
            template.render(Serde(data)).map_err(Wrong::Jinja)
        }
    }
}

/// What minijinja calls the template.
const SEED: &str = "seed";

fn is_jinja(name: &str) -> bool {
    std::path::Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "j2")
}

fn environment(text: &str) -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = render::environment()?;
    environment.set_debug(true);
    environment.add_template_owned(SEED, text.to_owned())?;
    Ok(environment)
}

fn of_go(index: usize, text: &str, error: super::gotemplate::Error) -> Problem {
    let place = place(index, text, error.range);
    let mut problem = Problem::new("template", error.message).at(place, error.label);
    problem.help = error.help;
    problem
}

fn of_jinja(index: usize, text: &str, error: &minijinja::Error) -> Problem {
    let line = || {
        let number = error.line()?.checked_sub(1)?;
        let line = text.split_inclusive('\n').nth(number)?;
        let start: usize = text.split_inclusive('\n').take(number).map(str::len).sum();
        Some(start + line.len() - line.trim_start().len()..start + line.trim_end().len())
    };
    let range = error.range().or_else(line).unwrap_or(0..0);
    let what = error.kind().to_string();
    let message = match error.detail() {
        Some(detail) => format!("{what}: {detail}"),
        None => what,
    };
    let help = match error.kind() {
        ErrorKind::UndefinedError => {
            // The place may be that of a larger expression: the words name what is not there.
            let named = error.detail().and_then(|it| it.split('`').nth(1));
            let there = || text.get(range.clone()).unwrap_or_default();
            data::instead_of(named.unwrap_or_else(there))
        }
        ErrorKind::UnknownFilter => {
            "filters are minijinja's, and `quoted`, which writes a text as YAML and JSON quote it"
                .into()
        }
        _ => data::seen(),
    };
    Problem::new("template", message)
        .at(place(index, text, range), "in this template")
        .help(help)
}
