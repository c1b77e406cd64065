//! `placemat up`.

use crate::exit::{self, Failure};
use crate::live::{self, Ended};
use crate::{fetch, input, launch, place, provision, talk};
use anyhow::Context;
use placemat_host::sandbox::{LabSide, RUN_DIR};
use placemat_lab::attach::Attachment;
use placemat_lab::image::Wanted;
use placemat_spec::Cluster;
use std::path::{Path, PathBuf};

/// Arguments of `up`.
#[derive(Debug, clap::Args)]
pub(super) struct Up {
    /// Cluster files, or one rack spec (`kind: DataCenter`); `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Return once everything is started; the lab runs on until `placemat down`.
    #[arg(long)]
    detach: bool,
    /// Name of the lab [default: the file's stem].
    #[arg(long = "lab", value_name = "NAME", value_parser = place::parse_name)]
    name: Option<String>,
    /// Put the ranges of external and BMC networks on this host, as placemat v2 did. Only root can.
    #[arg(long)]
    attach_host: bool,
    #[command(flatten)]
    cache: place::CacheArg,
}

impl Up {
    pub(super) fn run(self) -> Result<u8, Failure> {
        // A first look, before anything is written.
        let sources = input::read(&self.files)?;
        let looked_at = input::cluster(&sources)?;
        input::check_host(&looked_at.cluster)?;
        if self.attach_host {
            crate::network::check_attach(&looked_at.cluster)?;
        }
        if self.detach {
            placemat_host::process::close_inherited();
        }
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
        let claim = place::claim(&name, files, started)?;
        let (loaded, provisions) = launch::prepare(&claim, || {
            let loaded = looked_at.settle(&sources, &claim.data_dir.join("dc"))?;
            live::keep_sources(&claim.run_dir, &loaded.sources)?;
            loaded.warn();
            input::check_space(&loaded.cluster, &claim.data_dir, Some(&images))?;
            let provisions = provision::make(&loaded.cluster, &claim, &cache)?;
            Ok((loaded, provisions))
        })?;
        let options = live::options(&claim, cache, images, provisions);
        let detach = self.detach;
        let stack = launch::prepare(&claim, || crate::network::stack(&loaded.cluster))?;
        let attachment = self
            .attach_host
            .then(|| Attachment::of(&loaded.cluster, &claim.card.id));
        if let Some(attachment) = &attachment {
            talk::say(&attachment.to_string());
        }
        let ways = launch::Ways {
            outpost: stack.is_some(),
            host_netns: self.attach_host,
        };
        launch::in_sandbox(&claim, detach, ways, |side| {
            let mut options = options;
            options.outside = crate::network::exit(stack, &side);
            options.attach = attachment.zip(side.host_netns.clone());
            run(side, loaded.cluster, options, detach)
        })
    }
}

async fn run(
    mut side: LabSide,
    cluster: Cluster,
    options: placemat_lab::lab::LabOptions,
    detach: bool,
) -> Result<u8, Failure> {
    let mut lab = live::Live::create(cluster, options).await?;
    if !detach {
        lab.show();
    }
    let ended = lab.start().await;
    if !matches!(ended, Ended::Running) {
        let down = detach && matches!(ended, Ended::Down);
        let code = lab.finish(ended).await?;
        if down {
            return Err(Failure::new(
                exit::LAB,
                anyhow::anyhow!("the lab was taken down while it started"),
            ));
        }
        return Ok(code);
    }
    if detach {
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
