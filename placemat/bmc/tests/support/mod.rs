//! A BMC on loopback in front of a machine that only remembers what was done to it.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]
#![allow(unreachable_pub, reason = "shared by test binaries, not a library")]

use async_trait::async_trait;
use placemat_bmc::boot::BootOverride;
use placemat_bmc::certificate::CertificateAuthority;
use placemat_bmc::hardware::{Hardware, HardwareError};
use placemat_bmc::identity::Identity;
use placemat_bmc::redfish::Limits;
use placemat_bmc::user::{Privilege, User, UserTable};
use placemat_bmc::{Bmc, Settings, server};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A machine that does what it is told, at once, and remembers it.
#[derive(Default)]
pub struct Machine {
    on: AtomicBool,
    pub broken: AtomicBool,
    /// Whether the guest takes its time to shut down.
    pub slow: AtomicBool,
    acts: Mutex<Vec<String>>,
}

impl Machine {
    /// What was done since the last call.
    pub fn acts(&self) -> Vec<String> {
        std::mem::take(&mut *self.acts.lock().expect("not poisoned"))
    }

    /// The guest powers the machine off, at once and without a word to the BMC.
    pub fn guest_goes_off(&self) {
        self.on.store(false, Ordering::SeqCst);
    }

    fn note(&self, act: &str, boot: Option<BootOverride>) -> Result<(), HardwareError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(HardwareError::Failed(format!("{act}: the fuse is blown")));
        }
        let boot = boot.map_or(String::new(), |boot| {
            format!(
                " from {:?} {:?} efi={}",
                boot.source, boot.persistence, boot.efi
            )
        });
        self.acts
            .lock()
            .expect("not poisoned")
            .push(format!("{act}{boot}"));
        Ok(())
    }
}

#[async_trait]
impl Hardware for Machine {
    async fn power_on(&self, boot: Option<BootOverride>) -> Result<(), HardwareError> {
        self.note("power on", boot)?;
        self.on.store(true, Ordering::SeqCst);
        Ok(())
    }

    async fn power_off(&self) -> Result<(), HardwareError> {
        self.note("power off", None)?;
        self.on.store(false, Ordering::SeqCst);
        Ok(())
    }

    async fn reset(&self, boot: Option<BootOverride>) -> Result<(), HardwareError> {
        self.note("reset", boot)
    }

    async fn shutdown(&self) -> Result<(), HardwareError> {
        self.note("shutdown", None)?;
        if !self.slow.load(Ordering::SeqCst) {
            self.guest_goes_off();
        }
        Ok(())
    }

    async fn arm_boot(&self, boot: Option<BootOverride>) -> Result<(), HardwareError> {
        self.note("arm", boot)
    }

    async fn is_on(&self) -> bool {
        self.on.load(Ordering::SeqCst)
    }
}

/// A served BMC.
pub struct Board {
    pub machine: Arc<Machine>,
    pub bmc: Bmc,
    pub port: u16,
    pub https: u16,
    pub authority: Arc<CertificateAuthority>,
    pub runtime: Runtime,
    cancel: CancellationToken,
    server: Option<JoinHandle<Result<(), server::ServeError>>>,
}

/// A BMC that is not served.
pub fn bmc(machine: &Arc<Machine>) -> Bmc {
    bmc_with(machine, Limits::default())
}

fn bmc_with(machine: &Arc<Machine>, limits: Limits) -> Bmc {
    let user = |name: &str, password: &str, privilege| User {
        name: name.to_owned(),
        password: password.to_owned(),
        privilege,
    };
    let users = UserTable::new(vec![
        user("admin", "placemat", Privilege::Administrator),
        user("long", "twenty-bytes-is-max!", Privilege::Operator),
        user("reader", "look", Privilege::User),
    ])
    .expect("valid users");
    let identity = Identity::new("rack1-cs1", "0123abcd", [127, 0, 0, 1].into());
    let mut settings = Settings::new(identity, users);
    settings.cycle_pause = Duration::from_millis(50);
    settings.limits = limits;
    Bmc::new(settings, Arc::clone(machine) as Arc<dyn Hardware>)
}

impl Board {
    pub fn start() -> Self {
        Self::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let machine = Arc::new(Machine::default());
        let bmc = runtime.block_on(async { bmc_with(&machine, limits) });
        let authority = Arc::new(CertificateAuthority::new("placemat test").expect("an authority"));
        let cancel = CancellationToken::new();
        let (udp, tcp) = runtime.block_on(async {
            (
                UdpSocket::bind("127.0.0.1:0").await.expect("a UDP port"),
                TcpListener::bind("127.0.0.1:0").await.expect("a TCP port"),
            )
        });
        let port = udp.local_addr().expect("bound").port();
        let https = tcp.local_addr().expect("bound").port();
        let serve = server::serve(
            bmc.clone(),
            udp,
            tcp,
            Arc::clone(&authority),
            cancel.clone(),
        );
        let server = Some(runtime.spawn(serve));
        Self {
            machine,
            bmc,
            port,
            https,
            authority,
            runtime,
            cancel,
            server,
        }
    }

    /// Runs ipmitool as the administrator.
    pub fn ipmitool(&self, arguments: &str) -> Ran {
        self.ipmitool_as("admin", "placemat", arguments)
    }

    pub fn ipmitool_as(&self, user: &str, password: &str, arguments: &str) -> Ran {
        let output = Command::new("ipmitool")
            .args([
                "-I",
                "lanplus",
                "-H",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
            ])
            .args(["-U", user, "-P", password])
            .args(arguments.split_whitespace())
            .output()
            .expect("ipmitool runs");
        Ran::new(&output)
    }

    /// Runs curl as the administrator, and gives status and body.
    pub fn curl(&self, arguments: &[&str], path: &str) -> (String, String) {
        let output = Command::new("curl")
            .args([
                "-sk",
                "--noproxy",
                "*",
                "--max-time",
                "20",
                "-u",
                "admin:placemat",
                "-w",
                "\n%{http_code}",
            ])
            .args(arguments)
            .arg(format!("https://127.0.0.1:{}{path}", self.https))
            .output()
            .expect("curl runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').expect("curl wrote a status");
        (status.to_owned(), body.to_owned())
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.cancel.cancel();
        if let Some(server) = self.server.take() {
            let ended = self
                .runtime
                .block_on(server)
                .expect("no panic in the server");
            if !std::thread::panicking() {
                ended.expect("the server ends well");
            }
        }
    }
}

/// How a client ended.
#[derive(Debug)]
pub struct Ran {
    pub ok: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    fn new(output: &Output) -> Self {
        Self {
            ok: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        }
    }

    /// Standard output of a run that must have gone well.
    #[track_caller]
    pub fn out(self) -> String {
        assert!(self.ok, "{self:?}");
        self.stdout
    }
}

/// Whether a program is there. Where it is not, says that the test is skipped, or fails if
/// `PLACEMAT_REQUIRE` names it.
pub fn have(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()));
    let required = std::env::var("PLACEMAT_REQUIRE").unwrap_or_default();
    assert!(
        found || !required.split(',').any(|need| need.trim() == program),
        "PLACEMAT_REQUIRE names `{program}`, and it is not installed"
    );
    if !found {
        println!("skipped: `{program}` is not installed");
    }
    found
}
