//! From a router of the cluster to a unit.

use super::LabError;
use super::build::bird_file;
use crate::blueprint::Blueprint;
use crate::oci::{Images, Unpacked};
use crate::unit::{Folder, UnitRoot, UnitSpec, bird_app};
use placemat_host::cgroup::{self, Tree};
use placemat_host::container::{Bind, Root, Settings};
use placemat_spec::resource::{
    App, Limits, Name, OciImage, PodApp, PodVolumeKind, Router, RouterKind,
};
use placemat_spec::selector::{Target, TargetKind};
use placemat_spec::value::Capabilities;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Where a pod's init sees images, what is written to them, and volumes.
const IMAGES: &str = ".image";
const SCRATCH: &str = ".root";
const VOLUMES: &str = ".volume";

/// The unit that a router is. `folder_path` tells where a data folder is.
pub(super) fn spec(
    router: &Router,
    blueprint: &Blueprint,
    images: &Images,
    groups: Option<&Tree>,
    folder_path: &dyn Fn(&Name) -> Result<PathBuf, String>,
) -> Result<UnitSpec, LabError> {
    let find = |image: &OciImage| {
        images.get(image).ok_or_else(|| {
            LabError(format!(
                "router/{}: the image {} was not unpacked",
                router.name, image.text
            ))
        })
    };
    let image = router.image.as_ref().map(find).transpose()?;
    let mut apps: Vec<App> = Vec::new();
    let mut files = Vec::new();
    if let Some(bird) = &router.bird {
        files.push(bird_file(bird, blueprint));
        apps.push(bird_app(bird.place));
    }
    let mut settings = HashMap::new();
    let mut shown = Vec::new();
    for app in &router.apps {
        let mut app = app.clone();
        let own = app.pod.as_ref().map(|pod| find(&pod.image)).transpose()?;
        if let Some(image) = own.or(image).filter(|_| app.command.is_empty()) {
            let args = app.pod.as_ref().map_or(&[][..], |pod| &pod.args);
            app.command = image.config.command(args);
        }
        if app.command.is_empty() {
            return Err(LabError(format!(
                "router/{}: app {} names no command, and neither does its image",
                router.name, app.name
            )));
        }
        let mut how = settings_of(&app, own.or(image));
        if let (Some(pod), Some(own)) = (&app.pod, own) {
            let mut env: Vec<_> = own.config.environment().collect();
            env.extend(app.env);
            app.env = env.into_iter().collect();
            how.root = Some(root_of(router, &app.name, pod));
            how.keep = pod.keep.map(Capabilities::bits);
            shown.push(Bind {
                source: own.tree.clone(),
                target: inside(IMAGES, &app.name),
                read_only: true,
            });
        }
        settings.insert(app.name.clone(), how);
        apps.push(app);
    }
    for volume in &router.volumes {
        if let PodVolumeKind::Host { folder, read_only } = &volume.kind {
            shown.push(Bind {
                source: folder_path(folder)
                    .map_err(|error| LabError(format!("router/{}: {error}", router.name)))?,
                target: inside(VOLUMES, &volume.name),
                read_only: *read_only,
            });
        }
    }
    let root = match (router.kind, image) {
        (_, Some(image)) => UnitRoot::Image(image.tree.clone()),
        (RouterKind::Router, None) => UnitRoot::HostReadOnly,
        (RouterKind::NetworkNamespace, None) => UnitRoot::Host,
        (RouterKind::Pod, None) => UnitRoot::Showing(shown),
    };
    let target = Target::new(TargetKind::Router, &router.name);
    Ok(UnitSpec {
        files,
        folders: folders(router),
        init_scripts: router.init_scripts.clone(),
        apps,
        forwards: true,
        env: image.map_or_else(Vec::new, |image| image.config.environment().collect()),
        settings,
        limits: limits(router, groups)?,
        ..UnitSpec::new(target, root)
    })
}

/// What an app says of itself, and else what its image says.
fn settings_of(app: &App, image: Option<&Unpacked>) -> Settings {
    let of_image = |text: &String| (!text.is_empty()).then(|| text.clone());
    let config = image.map(|image| &image.config);
    let workdir = config.and_then(|config| of_image(&config.working_dir));
    let user = config.and_then(|config| of_image(&config.user));
    Settings {
        workdir: app.workdir.clone().or(workdir.map(Into::into)),
        user: app.user.clone().or(user),
        ..Settings::default()
    }
}

/// The root of a pod's app: its image, with the pod's `/run` and the volumes that it mounts.
fn root_of(router: &Router, app: &str, pod: &PodApp) -> Root {
    let read_only = |name: &Name| {
        let volume = router.volumes.iter().find(|volume| volume.name == *name);
        volume.is_some_and(|volume| match volume.kind {
            PodVolumeKind::Host { read_only, .. } => read_only,
            PodVolumeKind::Empty { .. } => false,
        })
    };
    let binds = pod.mounts.iter().map(|mount| Bind {
        source: inside(VOLUMES, &mount.volume),
        target: mount.target.clone(),
        read_only: read_only(&mount.volume),
    });
    Root::Image {
        tree: inside(IMAGES, app),
        run: "/run".into(),
        scratch: inside(SCRATCH, app),
        writable: pod.writable,
        binds: binds.collect(),
    }
}

fn inside(what: &str, name: &str) -> PathBuf {
    Path::new("/run").join(what).join(name)
}

/// The volumes of a pod that begin empty.
fn folders(router: &Router) -> Vec<Folder> {
    let volumes = router.volumes.iter().filter_map(|volume| {
        let PodVolumeKind::Empty { mode, uid, gid } = volume.kind else {
            return None;
        };
        Some(Folder {
            path: Path::new(VOLUMES).join(&volume.name),
            mode,
            owner: (uid, gid),
        })
    });
    volumes.collect()
}

/// The control group of a limited router.
fn limits(
    router: &Router,
    groups: Option<&Tree>,
) -> Result<Option<(cgroup::Group, Limits)>, LabError> {
    let (Some(limits), Some(groups)) = (&router.limits, groups) else {
        return Ok(None);
    };
    let most = cgroup::Limits {
        memory: limits.memory,
        cpu_milli: limits.cpu_milli,
        pids: limits.pids,
    };
    let group = groups
        .group(&format!("router-{}", router.name), most)
        .map_err(|error| LabError(format!("limit router/{}: {error}", router.name)))?;
    Ok(Some((group, limits.clone())))
}
