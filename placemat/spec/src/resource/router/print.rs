//! Prints a [`Router`], of whichever of the three kinds it was written as.

use super::app::POLICIES;
use super::{
    App, Bird, Limits, OciImage, PodApp, PodMount, PodVolume, PodVolumeKind, Readiness, Router,
    RouterKind,
};
use crate::print::{Map, Value, dictionary, word};
use crate::resource::interface;
use crate::value::{format_duration, format_size};

pub(crate) fn print(router: &Router) -> Map {
    let Router {
        name,
        kind,
        image,
        interfaces,
        loopback,
        bird,
        volumes,
        apps,
        init_scripts,
        limits,
        labels,
        place: _,
    } = router;
    let word = match kind {
        RouterKind::Router => "Router",
        RouterKind::NetworkNamespace => "NetworkNamespace",
        RouterKind::Pod => "Pod",
    };
    let on_host = *kind == RouterKind::Router && image.is_none();
    Map::resource(word, name)
        .list("interfaces", interfaces.iter().map(interface::print))
        .addresses("loopback", loopback)
        .maybe("bird", bird.as_ref().map(print_bird))
        .maybe_text("image", image.as_ref().map(OciImage::resolved))
        .maybe_text("rootfs", on_host.then_some("host"))
        .list("volumes", volumes.iter().map(volume))
        .list("apps", apps.iter().map(app))
        .texts("init-scripts", init_scripts.iter().map(|it| it.display()))
        .maybe("limits", limits.as_ref().map(print_limits))
        .labels(labels)
}

/// `bird` of routers and boot servers.
pub(in crate::resource) fn print_bird(bird: &Bird) -> Map {
    let Bird { config, place: _ } = bird;
    Map::new().text("config", config.display())
}

fn app(app: &App) -> Map {
    let App {
        name,
        command,
        env,
        workdir,
        user,
        pod,
        restart,
        ready,
        after,
        place: _,
    } = app;
    let map = Map::new().text("name", name);
    let map = match pod {
        // What it runs instead of the image's program comes before its arguments.
        Some(pod) => pod_app(map.maybe_text("exec", command.first()), pod),
        None => map
            .texts("command", command)
            .maybe_path("workdir", workdir.as_deref())
            .text("restart", word(&POLICIES, restart))
            .maybe("ready", ready.as_ref().map(readiness))
            .texts("after", after),
    };
    map.maybe_text("user", user.as_ref())
        .map("env", dictionary(env))
}

fn readiness(ready: &Readiness) -> Map {
    let Readiness {
        command,
        interval,
        timeout,
    } = ready;
    Map::new()
        .with("command", Value::list(command))
        .text("interval", format_duration(*interval))
        .text("timeout", format_duration(*timeout))
}

fn pod_app(map: Map, app: &PodApp) -> Map {
    let PodApp {
        image,
        writable,
        args,
        mounts,
        keep,
    } = app;
    let mount = |PodMount { volume, target }: &PodMount| {
        Map::new()
            .text("volume", volume)
            .text("target", target.display())
    };
    map.text("image", image.resolved())
        .with("readonly-rootfs", !writable)
        .texts("args", args)
        .list("mount", mounts.iter().map(mount))
        .maybe("caps-retain", keep.map(|keep| Value::list(keep.names())))
}

fn volume(volume: &PodVolume) -> Map {
    let PodVolume {
        name,
        kind,
        place: _,
    } = volume;
    let map = Map::new().text("name", name);
    match kind {
        PodVolumeKind::Empty { mode, uid, gid } => map
            .text("kind", "empty")
            .text("mode", format_args!("{mode:04o}"))
            .with("uid", *uid)
            .with("gid", *gid),
        PodVolumeKind::Host { folder, read_only } => map
            .text("kind", "host")
            .text("folder", folder)
            .with("readonly", *read_only),
    }
}

fn print_limits(limits: &Limits) -> Map {
    let Limits {
        memory,
        cpu_milli,
        pids,
        place: _,
    } = limits;
    let cores = cpu_milli.map(|milli| f64::from(milli) / 1000.0);
    Map::new()
        .maybe_text("memory", memory.map(format_size))
        .maybe("cpu", cores)
        .maybe("pids", *pids)
}
