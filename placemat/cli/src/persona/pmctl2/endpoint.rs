//! The HTTP API from a client's side.

use crate::exit::{self, Failure};
use anyhow::{Context, anyhow};
use placemat_lab::control::v2::RUN_DIR_HEADER;
use serde::Deserialize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Longest wait for an answer: powering a server off may take some.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint(String);

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    /// The body, which is JSON.
    pub(super) body: String,
    /// The lab's run directory on its host.
    pub(super) run_dir: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    error: String,
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("http://");
        if rest.is_none_or(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Err("expected http://HOST:PORT".into());
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl Endpoint {
    pub(super) fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.ask("GET", path)
    }

    pub(super) fn post(&self, path: &str) -> Result<Answer, Failure> {
        self.ask("POST", path)
    }

    /// The run directory of the lab that answers, where its control socket is.
    pub(super) fn run_dir(&self) -> Result<PathBuf, Failure> {
        self.get("/nodes")?.run_dir.ok_or_else(|| {
            Failure::new(
                exit::LAB,
                anyhow!("what answers at {} is no lab of placemat", self.0),
            )
        })
    }

    fn ask(&self, method: &str, path: &str) -> Result<Answer, Failure> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            // The lab is on this host, whatever proxy images come through.
            .proxy(None)
            .build()
            .into();
        let url = format!("{}{path}", self.0);
        let asked = match method {
            "POST" => agent.post(&url).send_empty(),
            _ => agent.get(&url).call(),
        };
        let unreachable = |error: ureq::Error| {
            let error = anyhow!(error).context(format!("ask {}", self.0));
            Failure::new(exit::LAB, error).hint(
                "`placemat ls` lists running labs; one listens where `placemat2` or `placemat up --listen-addr` said; --endpoint names the place",
            )
        };
        let mut answer = asked.map_err(unreachable)?;
        let run_dir = answer.headers().get(RUN_DIR_HEADER);
        let run_dir = run_dir.and_then(|value| value.to_str().ok().map(PathBuf::from));
        let status = answer.status();
        let body = answer.body_mut().read_to_string().map_err(unreachable)?;
        if status.is_success() {
            return Ok(Answer { body, run_dir });
        }
        let reason = serde_json::from_str(&body).map(|refusal: Refusal| refusal.error);
        let reason = reason.unwrap_or_else(|_| format!("{method} {path}: {status}"));
        let code = if status.is_client_error() {
            exit::USAGE
        } else {
            exit::LAB
        };
        Err(Failure::new(code, anyhow!("{reason}")))
    }
}

impl Answer {
    /// Reads the body.
    pub(super) fn read<'de, T: Deserialize<'de>>(&'de self) -> Result<T, Failure> {
        let read = serde_json::from_str(&self.body).context("read the answer of the HTTP API");
        read.map_err(|error| Failure::new(exit::LAB, error))
    }
}
