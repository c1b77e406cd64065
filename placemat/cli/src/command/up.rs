//! `placemat up`.

use crate::api::{Api, ListenAddr};
use crate::exit::{self, Failure};
use crate::live::{self, Ended};
use crate::{fetch, input, launch, place, provision, talk};
use anyhow::Context;
use placemat_host::sandbox::{LabSide, RUN_DIR};
use placemat_lab::attach::Attachment;
use placemat_lab::image::Wanted;
use placemat_lab::lab::LabOptions;
use placemat_scenario::report::terminal::{Options, Terminal};
use placemat_spec::document::Dialect;
use placemat_spec::resource::RouterKind;
use placemat_spec::{Cluster, Source};
use std::path::{Path, PathBuf};

/// Arguments of `up`.
#[derive(Debug, clap::Args)]
pub(crate) struct Up {
    /// Cluster files, or one rack spec (`kind: DataCenter`); `-` is standard input.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Return once everything is started; the lab runs on until `placemat down`.
    #[arg(long)]
    pub(crate) detach: bool,
    /// Name of the lab [default: the file's stem].
    #[arg(long = "lab", value_name = "NAME", value_parser = place::parse_name)]
    pub(crate) name: Option<String>,
    /// Put the ranges of external and BMC networks on this host, as placemat v2 did. Only root can.
    #[arg(long)]
    pub(crate) attach_host: bool,
    #[command(flatten)]
    pub(crate) cache: place::CacheArg,
    /// Serve placemat v2's HTTP API (`/nodes`) here, without any authentication.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen_addr: Option<ListenAddr>,
    /// As `placemat2` does it.
    #[arg(skip)]
    pub(crate) v2: Option<V2>,
}

/// What `placemat2` does otherwise.
#[derive(Debug)]
pub(crate) struct V2 {
    /// Where data directories are, unless where they always are.
    pub(crate) data_dir: Option<PathBuf>,
    /// Folder of the consoles' sockets.
    pub(crate) sockets: PathBuf,
    /// Every server has a screen.
    pub(crate) graphic: bool,
    /// Events go to the log instead of a display.
    pub(crate) log_events: bool,
}

impl Up {
    pub(crate) fn run(self) -> Result<u8, Failure> {
        // A first look, before anything is written.
        let sources = self.sources()?;
        let dialect = match self.v2 {
            Some(_) => Dialect::V2,
            None => Dialect::Strict,
        };
        let looked_at = input::cluster_as(dialect, &sources)?;
        input::check_host(&looked_at.cluster)?;
        if self.attach_host {
            crate::network::check_attach(&looked_at.cluster)?;
        }
        if self.detach {
            placemat_host::process::close_inherited();
        }
        let sockets = self.v2.as_ref().map(|v2| v2.sockets.as_path());
        let api = Api::open(self.listen_addr.as_ref(), sockets, &looked_at.cluster)?;
        let name = self
            .name
            .clone()
            .unwrap_or_else(|| place::lab_name(&self.files[0]));
        let files = self
            .files
            .iter()
            .map(std::path::absolute)
            .collect::<Result<Vec<_>, _>>();
        let files = files.context("find the current directory")?;
        let started = jiff::Timestamp::now().to_string();
        // Here, since a lab has no way to the host's network.
        let cache = self.cache.path();
        let images = fetch::images(&looked_at.cluster, &cache, Wanted::Used)?;
        let data_dir = self.v2.as_ref().and_then(|v2| v2.data_dir.clone());
        let claim = place::claim(&name, files, started, data_dir)?;
        let (loaded, provisions) = launch::prepare(&claim, || {
            let mut loaded = looked_at.settle(&sources, &claim.data_dir.join("dc"))?;
            if let Some(v2) = &self.v2 {
                v2.adopt(&sources, &mut loaded.cluster);
            }
            live::keep(&claim.run_dir, &loaded.cluster)?;
            loaded.warn();
            input::check_space(&loaded.cluster, &claim.data_dir, Some(&images))?;
            let provisions = provision::make(&loaded.cluster, &claim, &cache)?;
            Ok((loaded, provisions))
        })?;
        let cluster = loaded.cluster;
        let stack = launch::prepare(&claim, || crate::network::stack(&cluster))?;
        let attachment = self
            .attach_host
            .then(|| Attachment::of(&cluster, &claim.card.id));
        if let Some(attachment) = &attachment {
            talk::say(&attachment.to_string());
        }
        let ways = launch::Ways {
            outpost: stack.is_some(),
            host_netns: self.attach_host,
        };
        let job = Job {
            cluster,
            options: live::options(&claim, cache, images, provisions),
            api: api.map(|api| api.of(&claim)),
            detach: self.detach,
            v2: self.v2,
        };
        launch::in_sandbox(&claim, self.detach, ways, |side| {
            let mut job = job;
            job.options.outside = crate::network::exit(stack, &side);
            job.options.attach = attachment.zip(side.host_netns.clone());
            job.run(side)
        })
    }

    /// The files; of placemat v2, all paths in them begin at the folder of the first.
    fn sources(&self) -> Result<Vec<Source>, Failure> {
        let mut sources = input::read(&self.files)?;
        if self.v2.is_some()
            && let [first, others @ ..] = &mut sources[..]
        {
            for other in others {
                other.dir.clone_from(&first.dir);
            }
        }
        Ok(sources)
    }
}

impl V2 {
    /// Makes a cluster what it was under v2: apps start in the folder of the first file, and servers
    /// may all have a screen.
    fn adopt(&self, sources: &[Source], cluster: &mut Cluster) {
        let namespaces = cluster.routers.values_mut();
        for router in namespaces.filter(|it| it.kind == RouterKind::NetworkNamespace) {
            for app in router.apps.iter_mut().filter(|it| it.workdir.is_none()) {
                app.workdir = sources.first().map(|first| first.dir.clone());
            }
        }
        for node in cluster.nodes.values_mut().filter(|_| self.graphic) {
            node.devices.video = true;
        }
    }
}

/// A lab to be brought up, inside its sandbox.
struct Job {
    cluster: Cluster,
    options: LabOptions,
    api: Option<Api>,
    detach: bool,
    v2: Option<V2>,
}

impl Job {
    async fn run(self, mut side: LabSide) -> Result<u8, Failure> {
        let mut lab = match live::Live::create(self.cluster, self.options).await {
            Err(failure) if self.v2.is_some() && failure.is_signal() => return Ok(exit::OK),
            made => made?,
        };
        if self.v2.is_some() {
            lab.stop_well();
        }
        if let Some(api) = self.api {
            api.serve(&lab)?;
        }
        match &self.v2 {
            Some(v2) if v2.log_events => {
                lab.show_on(Terminal::new(
                    crate::log::Lines::default(),
                    Options::plain(),
                ));
            }
            _ if !self.detach => lab.show(),
            _ => {}
        }
        let ended = lab.start().await;
        if !matches!(ended, Ended::Running) {
            let down = self.detach && matches!(ended, Ended::Down);
            let code = lab.finish(ended).await?;
            if down {
                return Err(Failure::new(
                    exit::LAB,
                    anyhow::anyhow!("the lab was taken down while it started"),
                ));
            }
            return Ok(code);
        }
        if self.detach {
            for failure in &lab.unstarted {
                talk::say(&format!("warning: {failure}"));
            }
            // From here on a terminal that goes away means nothing; what is to be said is in the run
            // directory. Before the parent goes, so that whoever reads its output sees the end of it.
            placemat_host::process::detach_output(&Path::new(RUN_DIR).join("placemat.log"))
                .context("detach from the terminal")?;
            side.ready();
        }
        let ended = lab.wait().await;
        lab.finish(ended).await
    }
}
