//! From a claimed run directory into the sandbox, and out again.

use crate::exit::{self, Code, Failure};
use anyhow::Context;
use placemat_host::sandbox::{self, LabSide, Side};
use placemat_lab::registry::Claim;
use std::future::Future;

/// Does what comes between the claim and the sandbox. Where that fails, the run directory goes.
pub(crate) fn prepare<T>(
    claim: &Claim,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    work().inspect_err(|_| claim.abandon())
}

/// What a lab keeps of the host's network.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ways {
    /// A process in it.
    pub(crate) outpost: bool,
    /// Its namespace.
    pub(crate) host_netns: bool,
}

/// Runs `work` inside a new sandbox, on a runtime of its own, and gives its exit code. On the host
/// side this returns when the lab has ended or, detached, when it says that it is ready.
///
/// Nothing may have started a thread before.
pub(crate) fn in_sandbox<F>(
    claim: &Claim,
    detach: bool,
    ways: Ways,
    work: impl FnOnce(LabSide) -> F,
) -> Result<u8, Failure>
where
    F: Future<Output = Result<u8, Failure>>,
{
    let options = sandbox::Options {
        hostname: "placemat".into(),
        run_dir: claim.run_dir.clone(),
        detach,
        outpost: ways.outpost,
        host_netns: ways.host_netns,
    };
    match sandbox::enter(&options) {
        Ok(Side::Parent { code }) => {
            if !detach || code != exit::OK {
                // The lab is gone, and so is the use of its run directory.
                claim.abandon();
            }
            Ok(code)
        }
        Ok(Side::Lab(side)) => run(work(side)),
        Err(error) => {
            claim.abandon();
            Err(Failure::new(exit::HOST, error)
                .hint("`placemat doctor` shows what this host allows"))
        }
    }
}

/// Runs a future on a small runtime.
pub(crate) fn run<T, F>(work: F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // The rest of the twenty that a lab may have: workers, flows, namespaces entered in passing.
        .max_blocking_threads(12)
        .enable_all()
        .build()
        .context("start the runtime")
        .code(exit::INTERNAL)?;
    let outcome = runtime.block_on(work);
    // What still blocks (a guest that does not answer) ends with the process.
    runtime.shutdown_background();
    outcome
}
