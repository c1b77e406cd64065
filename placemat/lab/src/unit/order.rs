//! Which programs of a unit start after which others.

use placemat_spec::resource::App;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::watch;

/// Whether a program is ready, once that is settled.
type Settled = Option<bool>;

/// Whom each program tells, and whom it waits for.
#[derive(Debug)]
pub(super) struct Order {
    tell: HashMap<String, watch::Sender<Settled>>,
    wait: HashMap<String, watch::Receiver<Settled>>,
}

/// One program's place in the order.
#[derive(Debug)]
pub(super) struct Turn {
    own: watch::Sender<Settled>,
    after: Vec<(String, watch::Receiver<Settled>)>,
}

impl Order {
    pub(super) fn new(apps: &[App]) -> Self {
        let (mut tell, mut wait) = (HashMap::new(), HashMap::new());
        for app in apps {
            let (sender, receiver) = watch::channel(None);
            tell.insert(app.name.clone(), sender);
            wait.insert(app.name.clone(), receiver);
        }
        Self { tell, wait }
    }

    pub(super) fn place(&mut self, app: &App) -> Turn {
        let after = app.after.iter().filter_map(|name| {
            let receiver = self.wait.get(name)?;
            Some((name.clone(), receiver.clone()))
        });
        Turn {
            after: after.collect(),
            own: self
                .tell
                .remove(&app.name)
                .unwrap_or_else(|| watch::Sender::new(None)),
        }
    }
}

impl Turn {
    /// Waits until every program before this one is ready, or will not get ready; gives the names of
    /// those that are not.
    pub(super) async fn come(&mut self) -> Vec<String> {
        let mut missing = Vec::new();
        for (name, settled) in &mut self.after {
            let ready = settled
                .wait_for(Option::is_some)
                .await
                .is_ok_and(|ready| *ready == Some(true));
            if !ready {
                missing.push(name.clone());
            }
        }
        missing
    }

    /// Tells those that wait for this program whether it is ready. The first word counts.
    pub(super) fn settle(&self, ready: bool) {
        self.own.send_if_modified(|settled| {
            let first = settled.is_none();
            if first {
                *settled = Some(ready);
            }
            first
        });
    }
}

/// How long a program may take to get ready, with all that it starts after.
pub(super) fn patience(apps: &[App], app: &App) -> Duration {
    let own = app.ready.as_ref().map_or(Duration::ZERO, |it| it.timeout);
    let before = apps
        .iter()
        .filter(|other| app.after.contains(&other.name))
        .map(|other| patience(apps, other))
        .max();
    own + before.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use placemat_spec::resource::Readiness;

    fn app(name: &str, after: &[&str], seconds: u64) -> App {
        let place = placemat_spec::Cluster::load(vec![placemat_spec::Source::inline(
            "x",
            "{kind: Router, name: a}",
        )])
        .expect("a router")
        .0
        .routers["a"]
            .place;
        App {
            after: after.iter().map(|name| (*name).to_owned()).collect(),
            ready: (seconds > 0).then(|| Readiness {
                command: Vec::new(),
                interval: Duration::from_millis(1),
                timeout: Duration::from_secs(seconds),
            }),
            ..App::new(name, &["x"], place)
        }
    }

    #[tokio::test]
    async fn a_program_waits_for_all_before_it_and_learns_who_is_missing() {
        let apps = [app("a", &[], 3), app("b", &[], 0), app("c", &["a", "b"], 4)];
        let mut order = Order::new(&apps);
        let [a, b, mut c] = apps.each_ref().map(|app| order.place(app));
        assert_eq!(patience(&apps, &apps[2]), Duration::from_secs(7));
        a.settle(true);
        a.settle(false);
        let waits = tokio::time::timeout(Duration::from_millis(20), c.come()).await;
        assert!(waits.is_err());
        b.settle(false);
        assert_eq!(c.come().await, ["b"]);
    }

    #[tokio::test]
    async fn one_that_is_gone_holds_up_nobody() {
        let apps = [app("a", &[], 0), app("b", &["a"], 0)];
        let mut order = Order::new(&apps);
        let [a, mut b] = apps.each_ref().map(|app| order.place(app));
        drop(a);
        assert_eq!(b.come().await, ["a"]);
    }
}
