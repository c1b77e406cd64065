//! Reads `apps:` of a router.

use super::{App, Readiness, RestartPolicy};
use crate::Place;
use crate::check::names;
use crate::document::{Fields, Item};
use crate::problem::Problem;
use std::collections::HashMap;
use std::time::Duration;

const POLICIES: [(&str, RestartPolicy); 3] = [
    ("always", RestartPolicy::Always),
    ("on-failure", RestartPolicy::OnFailure),
    ("never", RestartPolicy::Never),
];

/// How long an app may take to become ready, unless it says otherwise.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// Takes `apps`.
pub(super) fn read(fields: &mut Fields<'_>) -> Vec<App> {
    let items = fields
        .opt("apps")
        .and_then(|it| it.list())
        .unwrap_or_default();
    let mut seen: HashMap<String, Place> = HashMap::new();
    if let Some(bird) = fields.key_place("bird") {
        // It is supervised under this name.
        seen.insert("bird".into(), bird);
    }
    let mut apps = Vec::new();
    for app in items.iter().filter_map(one) {
        if let Some(first) = seen.insert(app.name.clone(), app.place) {
            fields.findings().error(
                Problem::new(
                    "duplicate-name",
                    format!("{} has two apps named `{}`", fields.describe(), app.name),
                )
                .at(app.place, "named again here")
                .at(first, "first named here"),
            );
        }
        apps.push(app);
    }
    apps
}

fn one(item: &Item<'_>) -> Option<App> {
    let mut fields = item.fields()?;
    let name = fields.req("name").and_then(|it| it.string());
    let command = command(&mut fields);
    let env = fields
        .opt("env")
        .and_then(|it| it.string_map())
        .unwrap_or_default();
    for (key, _) in &env {
        if key.is_empty() || key.contains(['=', '\0']) {
            item.findings().error(
                Problem::new(
                    "bad-key",
                    format!("\"{}\" cannot be the name of a variable", key.value),
                )
                .at(key.place, "bad name")
                .help("names of variables are not empty and have no `=` in them"),
            );
        }
    }
    let restart = fields.opt("restart").and_then(|it| it.choice(&POLICIES));
    let ready = fields.opt("ready").and_then(|it| readiness(&it));
    fields.finish();
    let name = name?;
    names::part(&name, "an app", item.findings());
    Some(App {
        name: name.value,
        command,
        env: env
            .into_iter()
            .map(|(key, value)| (key.value, value.value))
            .collect(),
        restart: restart.map(|it| it.value).unwrap_or_default(),
        ready,
        place: name.place,
    })
}

fn readiness(item: &Item<'_>) -> Option<Readiness> {
    let mut fields = item.fields()?;
    let command = command(&mut fields);
    let timeout = fields.opt("timeout").and_then(|it| it.duration());
    fields.finish();
    Some(Readiness {
        command,
        timeout: timeout.map_or(READY_WITHIN, |it| it.value),
    })
}

/// Takes `command`: a program and its arguments.
fn command(fields: &mut Fields<'_>) -> Vec<String> {
    let Some(item) = fields.req("command") else {
        return Vec::new();
    };
    let Some(words) = item.strings() else {
        return Vec::new();
    };
    let first = item.tree().as_list().and_then(<[_]>::first);
    if first.is_none_or(|program| program.text() == Some("")) {
        fields.findings().error(
            item.problem(
                "empty-list",
                "names no program",
                "expected a program and its arguments",
            )
            .help("for example `command: [dnsmasq, --keep-in-foreground]`"),
        );
    }
    words.into_iter().map(|word| word.value).collect()
}
