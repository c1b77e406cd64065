//! Templates of one's own, in place of built-in ones, and what is said when a template is wrong.

use super::{Template, Templates};
use crate::place::place;
use minijinja::ErrorKind;
use placemat_spec::problem::suggestion;
use placemat_spec::{Problem, Problems, Source};
use std::error::Error as _;
use std::ops::Range;

/// A template of one's own.
#[derive(Debug, Clone)]
pub struct OwnTemplate {
    /// The built-in template that it stands for. One whose last part begins with `_` stands for none:
    /// it is there for others to include.
    pub name: String,
    /// Its text.
    pub source: Source,
}

impl OwnTemplate {
    fn is_part(&self) -> bool {
        let last = self.name.rsplit('/').next();
        last.is_some_and(|last| last.starts_with('_'))
    }
}

/// The built-in templates with some of one's own in their place.
pub(super) fn templates(table: &[Template], own: &[OwnTemplate]) -> Result<Templates, Problems> {
    let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    let mut problems = Vec::new();
    let mut templates = Templates::new(table).map_err(|error| told(&error, table, own))?;
    let mut broken = Vec::new();
    for template in own {
        if !template.is_part() && !names.contains(&template.name.as_str()) {
            let message = format!("{} stands for no template", template.source.name);
            let help = suggestion(&template.name, "templates are", &names);
            problems.push(Problem::new("unknown-template", message).help(help));
            continue;
        }
        let text = template.source.text.to_string();
        let added = templates.0.add_template_owned(template.name.clone(), text);
        broken.extend(added.err().map(|error| told(&error, table, own)));
    }
    let sources = broken.first().map(|it| it.sources.clone());
    problems.extend(broken.into_iter().flat_map(|it| it.list));
    if problems.is_empty() {
        Ok(templates)
    } else {
        Err(Problems::new(sources.unwrap_or_default(), problems))
    }
}

/// What is wrong with a template, and where.
pub(super) fn told(error: &minijinja::Error, table: &[Template], own: &[OwnTemplate]) -> Problems {
    let mut error = error;
    // Where one template includes another, the innermost error is the one to mend.
    while let Some(inner) = error
        .source()
        .and_then(|it| it.downcast_ref::<minijinja::Error>())
    {
        error = inner;
    }
    let mut sources: Vec<Source> = own.iter().map(|it| it.source.clone()).collect();
    let known = |name: &str| own.iter().position(|it| it.name == name);
    let built_in = |name: &str| {
        let text = table.iter().find(|(other, _)| *other == name)?.1;
        Some(Source::inline(&format!("built-in {name}"), text))
    };
    let source = error.name().and_then(|name| {
        known(name).or_else(|| {
            sources.push(built_in(name)?);
            Some(sources.len() - 1)
        })
    });
    let name = error.name().unwrap_or("a template");
    let message = format!("template {name}: {}", words(error));
    let mut problem = Problem::new("template", message);
    if error.kind() == ErrorKind::UndefinedError {
        let book = "docs/menu-templates.md has what templates see";
        let built_in = table.iter().any(|(other, _)| *other == name);
        let print = format!("; `placemat menu --print-template {name}` prints the built-in one");
        problem = problem.help(format!("{book}{}", if built_in { &print } else { "" }));
    }
    let place = source.and_then(|source| {
        let text = &sources[source].text;
        let range = error.range().or_else(|| line(text, error.line()?));
        Some(place(source, text, range?))
    });
    if let Some(place) = place {
        problem = problem.at(place, label(error.kind()));
    }
    Problems::new(sources, vec![problem])
}

fn words(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

fn label(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::UndefinedError => "not there",
        ErrorKind::SyntaxError => "not understood",
        _ => "here",
    }
}

/// All of a line.
fn line(text: &str, number: usize) -> Option<Range<usize>> {
    let mut start = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index + 1 == number {
            return Some(start..start + line.trim_end().len());
        }
        start += line.len();
    }
    None
}
