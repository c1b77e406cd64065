//! `$(...)`: variables, properties of targets, and outputs, put into the typed tree.
//!
//! `$(NAME)` is a variable; `$(NAME.PROPERTY)` a property of the target that a variable stands for,
//! or an output of the step with that id; `$(node/NAME.PROPERTY)` a property of a target. `$$(` is
//! a plain `$(`.

use super::reader::{Reader, Value};
use super::targets;
use crate::model::{Text, TextPart};
use placemat_spec::Place;
use placemat_spec::problem::suggestion;
use placemat_spec::selector::{Selector, Target};
use placemat_spec::{Cluster, problem::nearest};

/// What a variable stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bound {
    /// A target.
    Target(Target),
    /// Words.
    Text(String),
}

impl Bound {
    /// As text: a target as its selector.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Target(target) => target.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Variables that are visible, innermost last.
#[derive(Debug, Clone, Default)]
pub(super) struct Frame {
    pub(super) variables: Vec<(String, Bound)>,
}

impl Frame {
    fn get(&self, name: &str) -> Option<&Bound> {
        self.variables
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, bound)| bound)
    }
}

/// Properties that a target can be asked for.
const PROPERTIES: &[&str] = &[
    "name",
    "loopback",
    "bmc",
    "bmc-user",
    "bmc-password",
    "serial",
    "tier",
    "rack",
    "role",
];

impl Reader<'_> {
    /// Reads with one more variable.
    pub(crate) fn with_variable<T>(
        &mut self,
        name: &str,
        bound: Bound,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.frame.variables.push((name.to_owned(), bound));
        let done = read(self);
        self.frame.variables.pop();
        done
    }

    /// What words stand for: a target where they are the full name of one, so that its properties
    /// can be asked for.
    pub(super) fn bound(&self, text: String) -> Bound {
        if !text.contains('/') {
            return Bound::Text(text);
        }
        let targets = Selector::parse(&text).and_then(|it| it.resolve(self.cluster));
        match targets.as_deref() {
            Ok([one]) if one.to_string() == text => Bound::Target(one.clone()),
            _ => Bound::Text(text),
        }
    }

    /// What a `for-each` goes through: the targets of a selector, or a list of words.
    pub(crate) fn items(&mut self, value: &Value<'_>) -> Option<Vec<Bound>> {
        if value.tree.as_list().is_some() {
            let items = self.list(value)?;
            return items
                .iter()
                .map(|item| self.text(item).map(|text| self.bound(text)))
                .collect();
        }
        let targets = self.targets(Some(value), targets::ANY)?;
        Some(targets.iter().cloned().map(Bound::Target).collect())
    }

    /// Text with everything put in that is known before the run.
    pub(super) fn substituted(&mut self, text: &str, place: Place) -> Option<Text> {
        let mut parts: Vec<TextPart> = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        let mut whole = true;
        while let Some(dollar) = rest.find("$(") {
            let (before, after) = rest.split_at(dollar);
            if let Some(before) = before.strip_suffix('$') {
                literal.push_str(before);
                literal.push_str("$(");
                rest = &after[2..];
                continue;
            }
            literal.push_str(before);
            let start = text.len() - after.len();
            let Some(end) = after.find(')') else {
                self.problem(
                    "bad-expression",
                    "`$(` without `)`".to_owned(),
                    place.part(text, start..text.len()),
                    "begins here".to_owned(),
                    Some("`$$(` stands for a plain `$(`".to_owned()),
                );
                return None;
            };
            let here = place.part(text, start..start + end + 1);
            match self.expression(after[2..end].trim(), here) {
                Some(TextPart::Literal(value)) => literal.push_str(&value),
                Some(output) => {
                    if !literal.is_empty() {
                        parts.push(TextPart::Literal(std::mem::take(&mut literal)));
                    }
                    parts.push(output);
                }
                None => whole = false,
            }
            rest = &after[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() || parts.is_empty() {
            parts.push(TextPart::Literal(literal));
        }
        whole.then_some(Text(parts))
    }

    fn expression(&mut self, expression: &str, place: Place) -> Option<TextPart> {
        if let Some(bound) = self.frame.get(expression) {
            return Some(TextPart::Literal(bound.text()));
        }
        let slash = expression.find('/');
        let dot = expression[slash.unwrap_or(0)..]
            .find('.')
            .map(|dot| dot + slash.unwrap_or(0));
        if let Some(dot) = dot {
            let (name, property) = (&expression[..dot], &expression[dot + 1..]);
            if slash.is_some() {
                let target = self.one_target(name, place)?;
                return self
                    .property(&target, property, place)
                    .map(TextPart::Literal);
            }
            if let Some(Bound::Target(target)) = self.frame.get(name).cloned() {
                return self
                    .property(&target, property, place)
                    .map(TextPart::Literal);
            }
            if let Some(outputs) = self.outputs.get(name) {
                if outputs.iter().any(|output| output == property) {
                    return Some(TextPart::Output {
                        id: name.to_owned(),
                        name: property.to_owned(),
                    });
                }
                let names: Vec<&str> = outputs.iter().map(String::as_str).collect();
                let help = suggestion(property, "its outputs are", &names);
                self.problem(
                    "unknown-output",
                    format!("step `{name}` has no output `{property}`"),
                    place,
                    "unknown output".to_owned(),
                    Some(help),
                );
                return None;
            }
        }
        self.unknown(expression, place);
        None
    }

    fn unknown(&mut self, expression: &str, place: Place) {
        let name = expression.split('.').next().unwrap_or(expression);
        let mut known: Vec<String> = self
            .frame
            .variables
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        for (id, outputs) in &self.outputs {
            known.extend(outputs.iter().map(|output| format!("{id}.{output}")));
        }
        known.sort();
        known.dedup();
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        let help = match nearest(name, names.iter().copied()) {
            None if names.is_empty() => {
                "nothing is defined here; a target's property is `$(node/NAME.bmc)`".to_owned()
            }
            _ => suggestion(name, "defined here are", &names),
        };
        self.problem(
            "unknown-variable",
            format!("nothing before this is called `{name}`"),
            place,
            "unknown here".to_owned(),
            Some(help),
        );
    }

    fn one_target(&mut self, text: &str, place: Place) -> Option<Target> {
        let mut found = self.selected(text, place)?;
        match (found.pop(), found.is_empty()) {
            (Some(target), true) => Some(target),
            (last, _) => {
                let count = found.len() + usize::from(last.is_some());
                self.problem(
                    "many-targets",
                    format!("`{text}` is {count} targets, and a property needs one"),
                    place,
                    "here".to_owned(),
                    Some("use `for-each`, or name one target".to_owned()),
                );
                None
            }
        }
    }

    fn property(&mut self, target: &Target, property: &str, place: Place) -> Option<String> {
        if let Some(value) = property_of(self.cluster, target, property) {
            return Some(value);
        }
        let has: Vec<&str> = PROPERTIES
            .iter()
            .copied()
            .filter(|name| property_of(self.cluster, target, name).is_some())
            .collect();
        self.problem(
            "unknown-property",
            format!("{target} has no `{property}`"),
            place,
            "unknown property".to_owned(),
            Some(suggestion(property, "it has", &has)),
        );
        None
    }
}

fn property_of(cluster: &Cluster, target: &Target, property: &str) -> Option<String> {
    let node = || targets::node(cluster, target);
    let bmc = || node().and_then(|node| node.bmc.as_ref());
    match property {
        "name" => Some(target.name.clone()).filter(|name| !name.is_empty()),
        "loopback" => targets::loopback(cluster, target).map(|address| address.to_string()),
        "bmc" => bmc().map(|bmc| bmc.address.to_string()),
        "bmc-user" => bmc().map(|bmc| bmc.user.clone()),
        "bmc-password" => bmc().map(|bmc| bmc.password.clone()),
        "serial" => node().map(|node| node.smbios.serial.clone()),
        "tier" => node().map(|node| crate::runner::tier(node.tier).to_owned()),
        label => targets::labels(cluster, target)?.get(label).cloned(),
    }
}
