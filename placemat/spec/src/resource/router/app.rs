//! Reads `apps:` of a router.

use super::{App, Readiness, RestartPolicy};
use crate::Place;
use crate::check::names;
use crate::document::{At, Fields, Item};
use crate::problem::{Problem, suggestion};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) const POLICIES: [(&str, RestartPolicy); 4] = [
    ("always", RestartPolicy::Always),
    ("on-failure", RestartPolicy::OnFailure),
    ("never", RestartPolicy::Never),
    ("no", RestartPolicy::Never),
];

/// How long an app may take to become ready, unless it says otherwise.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// How often its readiness command is tried, unless it says otherwise.
const READY_EVERY: Duration = Duration::from_millis(50);

/// What of the router around them its apps have to know.
pub(super) struct Around {
    /// It is placemat v2's namespace: apps need no name, and may end well for good.
    pub(super) namespace: bool,
    /// It runs on an image, which may say what an app runs.
    pub(super) image: bool,
    /// It has a `bird`, which stands here and is an app of that name.
    pub(super) bird: Option<Place>,
}

/// Takes `apps`.
pub(super) fn read(fields: &mut Fields<'_>, around: &Around) -> Vec<App> {
    let items = fields
        .opt("apps")
        .and_then(|it| it.list())
        .unwrap_or_default();
    let mut names: HashMap<String, Place> = HashMap::new();
    names.extend(around.bird.map(|place| ("bird".to_owned(), place)));
    let (mut apps, mut orders) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        let Some((app, after)) = one(index, item, around) else {
            continue;
        };
        if let Some(first) = names.insert(app.name.clone(), app.place) {
            fields.findings().error(
                Problem::new(
                    "duplicate-name",
                    format!("{} has two apps named `{}`", fields.describe(), app.name),
                )
                .at(app.place, "named again here")
                .at(first, "first named here"),
            );
        }
        orders.push(after);
        apps.push(app);
    }
    check_order(fields, &apps, &orders, &names);
    apps
}

/// One app, and what it starts after.
fn one(index: usize, item: &Item<'_>, around: &Around) -> Option<(App, Vec<At<String>>)> {
    let mut fields = item.fields()?;
    let needs_name = !(around.namespace && fields.lacks("name"));
    let name = if needs_name {
        fields.req("name").and_then(|it| name(&it))
    } else {
        fields.opt("name");
        Some(At::new(format!("app{index}"), item.place()))
    };
    let command = if around.image && fields.lacks("command") {
        fields.opt("command");
        Vec::new()
    } else {
        command(&mut fields)
    };
    let env = environment(&mut fields);
    let workdir = fields.opt("workdir").and_then(|it| folder(&it));
    let user = fields.opt("user").and_then(|it| user(&it));
    let restart = fields.opt("restart").and_then(|it| it.choice(&POLICIES));
    let ready = fields.opt("ready").and_then(|it| readiness(&it));
    let after = fields.opt("after").and_then(|it| it.strings());
    fields.finish();
    let name = name?;
    let after = after.unwrap_or_default();
    let by_default = if around.namespace {
        RestartPolicy::OnFailure
    } else {
        RestartPolicy::default()
    };
    let app = App {
        name: name.value,
        command,
        env,
        workdir,
        user,
        pod: None,
        restart: restart.map_or(by_default, |it| it.value),
        ready,
        after: after.iter().map(|it| it.value.clone()).collect(),
        place: name.place,
    };
    Some((app, after))
}

/// Takes `env`.
pub(super) fn environment(fields: &mut Fields<'_>) -> BTreeMap<String, String> {
    let env = fields.opt("env").and_then(|it| it.string_map());
    let env = env.unwrap_or_default();
    for (key, _) in &env {
        if key.is_empty() || key.contains(['=', '\0']) {
            fields.findings().error(
                Problem::new(
                    "bad-key",
                    format!("\"{}\" cannot be the name of a variable", key.value),
                )
                .at(key.place, "bad name")
                .help("names of variables are not empty and have no `=` in them"),
            );
        }
    }
    env.into_iter()
        .map(|(key, value)| (key.value, value.value))
        .collect()
}

/// An app's name: its log file is called so.
pub(super) fn name(item: &Item<'_>) -> Option<At<String>> {
    let name = item.string()?;
    names::part(&name, "an app", item.findings());
    if name.value == "init-scripts" {
        item.findings().error(item.problem(
            "bad-name",
            "cannot be `init-scripts`",
            "the log of the router's own init scripts is called so",
        ));
    }
    Some(name)
}

/// An absolute path inside.
pub(super) fn folder(item: &Item<'_>) -> Option<PathBuf> {
    let path = item.string()?;
    if !Path::new(&path.value).is_absolute() {
        item.findings().error(
            item.problem("bad-path", "must be an absolute path", "not absolute")
                .help("it is a folder inside the router, such as `/var/tmp`"),
        );
    }
    Some(path.value.into())
}

/// `NAME` or `NAME:GROUP`.
pub(super) fn user(item: &Item<'_>) -> Option<String> {
    let user = item.string()?;
    let (name, group) = user.value.split_once(':').unwrap_or((&user.value, "root"));
    if !is_account(name) || !is_account(group) {
        let message = format!("cannot be \"{}\"", user.value);
        item.findings()
            .error(item.problem("bad-user", &message, "not a user").help(
                "forms are `NAME`, `NAME:GROUP` and the same with numbers: `bird`, `65534:65534`",
            ));
    }
    Some(user.value)
}

/// Whether a word may be the name or number of a user or group.
pub(super) fn is_account(text: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !text.is_empty() && !text.starts_with('-') && text.chars().all(fine)
}

fn readiness(item: &Item<'_>) -> Option<Readiness> {
    let mut fields = item.fields()?;
    let command = command(&mut fields);
    let interval = fields.opt("interval").and_then(|it| {
        let every = it.duration()?;
        if every.value.is_zero() {
            it.findings().error(it.problem(
                "out-of-range",
                "must be longer than nothing",
                "try it how often?",
            ));
        }
        Some(every.value)
    });
    let timeout = fields.opt("timeout").and_then(|it| it.duration());
    fields.finish();
    Some(Readiness {
        command,
        interval: interval.unwrap_or(READY_EVERY),
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

/// Every `after` names another app, and no app waits for itself by way of others.
fn check_order(
    fields: &Fields<'_>,
    apps: &[App],
    orders: &[Vec<At<String>>],
    names: &HashMap<String, Place>,
) {
    for (app, after) in apps.iter().zip(orders) {
        for wanted in after.iter().filter(|it| !names.contains_key(it.as_str())) {
            let mut known: Vec<&str> = names.keys().map(String::as_str).collect();
            known.retain(|name| *name != app.name);
            known.sort_unstable();
            let message = format!(
                "app `{}` of {} starts after `{}`, which is no app of it",
                app.name,
                fields.describe(),
                wanted.value
            );
            fields.findings().error(
                Problem::new("unknown-app", message)
                    .at(wanted.place, "no app has this name")
                    .help(suggestion(wanted, "its other apps are", &known)),
            );
        }
    }
    // Whatever can start is taken away, until nothing can: the rest wait for each other.
    let mut waiting: Vec<usize> = (0..apps.len()).collect();
    loop {
        let blocked = |index: &usize| {
            orders[*index].iter().any(|wanted| {
                waiting
                    .iter()
                    .any(|other| apps[*other].name == wanted.value)
            })
        };
        let still: Vec<usize> = waiting.iter().copied().filter(blocked).collect();
        if still.len() == waiting.len() {
            break;
        }
        waiting = still;
    }
    if waiting.is_empty() {
        return;
    }
    let message = format!(
        "apps of {} wait for each other, and none of them would ever start",
        fields.describe()
    );
    let mut problem = Problem::new("dependency-cycle", message);
    for index in &waiting {
        let name = &apps[*index].name;
        for wanted in &orders[*index] {
            if waiting
                .iter()
                .any(|other| apps[*other].name == wanted.value)
            {
                problem = problem.at(
                    wanted.place,
                    format!("`{name}` starts after `{}`", wanted.value),
                );
            }
        }
    }
    fields.findings().error(problem.help("remove one of these"));
}
