//! What the boot server answers over HTTP, to whom, and how it misbehaves when asked to.

use super::*;
use crate::boot::{SiteBoot, SiteBundle, SiteSpec, look_at_http};
use placemat_spec::resource::BootMethod;
use placemat_spec::value::Mac;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl HttpObserver for Heard {
    fn asked(&self, node: Option<&Name>, path: &str) {
        self.note(format!("asked {node:?} {path}"));
    }

    fn answered(&self, event: LabEventKind) {
        let LabEventKind::Http {
            node,
            path,
            status,
            bytes,
            client,
        } = event
        else {
            panic!("not an HTTP event: {event:?}");
        };
        self.note(format!(
            "answered {node:?} {path} {status} {bytes} {client}"
        ));
    }
}

impl Heard {
    fn note(&self, line: String) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }
}

/// A served site with one machine at 127.0.0.1, and its boot file.
struct Fixture {
    site: Arc<BootSite>,
    address: SocketAddr,
    heard: Arc<Heard>,
    cancel: CancellationToken,
    tasks: JoinSet<io::Result<()>>,
    _folder: TempDir,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().expect("folder");
    let put = |path: &str, content: &[u8]| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        std::fs::write(path, content).expect("write");
    };
    put("node/node.efi", b"0123456789");
    put("config/node.env", b"HOSTNAME=cs1\n");
    let mac = Mac([0x52, 0x54, 0, 0, 0, 1]);
    let boot = SiteBoot {
        image: "node-os".into(),
        method: BootMethod::Uki,
        kernel_params: Vec::new(),
    };
    let machine = SiteMachine {
        node: "cs1".into(),
        serial: "0a1b".into(),
        macs: vec![mac],
        boot: boot.clone(),
        config: Some(folder.path().join("config")),
        ignition: None,
    };
    let bundle = SiteBundle {
        folder: folder.path().join("node"),
        command_line: "console=ttyS0".into(),
    };
    let spec = SiteSpec {
        authorized_keys: String::new(),
        base: "http://x".into(),
        usual: boot,
        machines: vec![machine],
        bundles: HashMap::from([("node-os".to_owned(), bundle)]),
        hosts: vec![(mac, Ipv4Addr::LOCALHOST)],
        ipxe: None,
    };
    let served = tokio_util::sync::CancellationToken::new();
    let site = Arc::new(BootSite::new(spec, served));
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let address = listener.local_addr().expect("address");
    let heard = Arc::new(Heard::default());
    let cancel = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(serve(listener, site.clone(), heard.clone(), cancel.clone()));
    Fixture {
        site,
        address,
        heard,
        cancel,
        tasks,
        _folder: folder,
    }
}

impl Fixture {
    async fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.expect("connect");
        let request = format!("{request}Host: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("ask");
        let mut answer = Vec::new();
        // A body that breaks off is an answer, too.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        let kept = answer.lines().filter(|line| !line.starts_with("date: "));
        kept.collect::<Vec<_>>().join("\n")
    }

    async fn look(&self, fault: Option<HttpFault>) -> bool {
        let stream = TcpStream::connect(self.address).await.expect("connect");
        look_at_http(stream, fault).await.expect("look")
    }

    async fn end(mut self) -> Vec<String> {
        self.cancel.cancel();
        while let Some(done) = self.tasks.join_next().await {
            done.expect("join").expect("serve");
        }
        std::mem::take(&mut self.heard.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[tokio::test]
async fn as_firmware_and_node_ask() {
    let fixture = fixture();
    let mut shown = Vec::new();
    for request in [
        "HEAD /boot.efi HTTP/1.1\r\n",
        "GET /boot.efi HTTP/1.1\r\n",
        "GET /boot.efi HTTP/1.1\r\nRange: bytes=7-\r\n",
        "GET /boot.efi HTTP/1.1\r\nRange: bytes=70-\r\n",
        "GET /images/node-os/node.efi HTTP/1.1\r\nRange: bytes=0-0\r\n",
        "GET /machines/0a1b/node.env HTTP/1.1\r\n",
        "GET /boot.ipxe HTTP/1.1\r\n",
        "GET /machines/0a1b/boot.ipxe HTTP/1.1\r\n",
        "GET /machines/ffff/node.env HTTP/1.1\r\n",
        "GET /images/node-os/../../etc/passwd HTTP/1.1\r\n",
        "POST /boot.efi HTTP/1.1\r\nContent-Length: 0\r\n",
    ] {
        shown.push(format!(
            "> {}\n{}",
            request.trim_end(),
            fixture.ask(request).await
        ));
    }
    shown.push(fixture.end().await.join("\n"));
    insta::assert_snapshot!(shown.join("\n\n"));
}

/// Each fault as a client meets it, as the lab sees it, and healed again.
#[tokio::test]
async fn faults() {
    let fixture = fixture();
    let get = "GET /boot.efi HTTP/1.1\r\n";
    let mut shown = Vec::new();
    for fault in [
        HttpFault::NotFound,
        HttpFault::Truncated,
        HttpFault::Corrupt,
        HttpFault::Slow { rate: 10_000 },
        HttpFault::Silent,
    ] {
        let look = |fault| fixture.look(fault);
        assert!(look(None).await, "healed before {fault}");
        assert!(!look(Some(fault)).await, "no {fault} yet");
        fixture.site.set_fault(Some(fault));
        if fault == HttpFault::Silent {
            // Who waits when it is healed is told to ask again.
            let heal = async {
                assert!(look(Some(fault)).await);
                fixture.site.set_fault(None);
            };
            let (answer, ()) = tokio::join!(fixture.ask(get), heal);
            shown.push(format!("> {fault}\n{answer}"));
        } else {
            shown.push(format!("> {fault}\n{}", fixture.ask(get).await));
            assert!(look(Some(fault)).await, "{fault} is seen");
            let slow = matches!(fault, HttpFault::Slow { .. });
            assert_eq!(
                look(None).await,
                slow,
                "a slow answer is right, others are not"
            );
        }
        fixture.site.set_fault(None);
    }
    assert!(fixture.look(None).await);
    shown.push(fixture.end().await.join("\n"));
    insta::assert_snapshot!(shown.join("\n\n"));
}
