//! Keys of routers, network namespaces and pods.

use super::super::How;
use super::{Facts, file, flag, nets, said, word, words};
use crate::blueprint::Blueprint;
use crate::change::facts::other;
use placemat_spec::resource::{
    App, Limits, OciImage, PodApp, PodVolume, PodVolumeKind, Readiness, Router, RouterKind,
};
use placemat_spec::value::{format_duration, format_size};

pub(super) fn facts(router: &Router, of: &Blueprint) -> Facts {
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
    let mut facts = Facts::default();
    facts.add("kind", word(kind), How::Restart);
    facts.add("image", image.as_ref().map_or("", text), How::Restart);
    facts.interfaces(name, interfaces, How::Link, How::Address);
    facts.add("loopback", nets(loopback), How::Address);
    facts.bird(bird.as_ref(), of);
    for volume in volumes {
        facts.add(
            format!("volumes.{}", volume.name),
            of_volume(volume, of),
            How::Restart,
        );
    }
    // Images of a pod's apps are part of what the pod's own init sees.
    let program = if *kind == RouterKind::Pod {
        How::Restart
    } else {
        How::Program
    };
    for each in apps {
        facts.add(format!("apps.{}", each.name), app(each), program);
    }
    let scripts = init_scripts.iter().map(|path| file(path, of));
    facts.add("init-scripts", words(scripts), How::Restart);
    if let Some(limits) = limits {
        facts.add("limits", of_limits(limits), How::Restart);
    }
    facts.labels(labels);
    facts
}

fn text(image: &OciImage) -> &str {
    &image.text
}

fn of_volume(volume: &PodVolume, of: &Blueprint) -> String {
    match &volume.kind {
        PodVolumeKind::Empty { mode, uid, gid } => format!("empty {mode:o} {uid}:{gid}"),
        PodVolumeKind::Host { folder, read_only } => {
            let folder = other::named_folder(folder, &of.cluster);
            words([folder, flag("readonly", *read_only)].iter())
        }
    }
}

fn app(app: &App) -> String {
    let App {
        name: _,
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
    let env = env.iter().map(|(key, value)| format!("{key}={value}"));
    let ready = ready.as_ref().map(|ready| {
        let Readiness {
            command,
            interval,
            timeout,
        } = ready;
        let (every, within) = (format_duration(*interval), format_duration(*timeout));
        format!("{} every {every} within {within}", command.join(" "))
    });
    let after = (!after.is_empty()).then(|| after.join(" "));
    let all = [
        words(env),
        command.join(" "),
        said("in", workdir.as_ref().map(|it| it.display())),
        said("as", user.as_ref()),
        pod.as_ref().map(of_pod).unwrap_or_default(),
        format!("restart {}", word(restart)),
        said("ready", ready),
        said("after", after),
    ];
    words(all.iter().filter(|text| !text.is_empty()))
}

fn of_pod(pod: &PodApp) -> String {
    let PodApp {
        image,
        writable,
        args,
        mounts,
        keep,
    } = pod;
    let mounts = mounts
        .iter()
        .map(|it| format!("{}:{}", it.volume, it.target.display()));
    format!(
        "on {} {} {} {} {keep:?}",
        image.text,
        args.join(" "),
        flag("writable", *writable),
        words(mounts)
    )
}

fn of_limits(limits: &Limits) -> String {
    let Limits {
        memory,
        cpu_milli,
        pids,
        place: _,
    } = limits;
    let all = [
        said("memory", memory.map(format_size)),
        said("cpu", cpu_milli.map(|it| f64::from(it) / 1000.0)),
        said("pids", *pids),
    ];
    words(all.iter().filter(|text| !text.is_empty()))
}
