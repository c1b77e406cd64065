//! Over TLS: the real `curl`, the certificate, and clients that stall.

use crate::client::{RESET, SYSTEM};
use crate::support::{Board, have};
use placemat_bmc::fault::Fault;
use placemat_bmc::redfish::Limits;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A client that speaks TLS and then says only so much; answers what it hears until it is let go.
async fn say(board: &Board, words: &str) -> String {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName};
    let authority = CertificateDer::from_pem_slice(board.authority.pem().as_bytes());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.expect("PEM")).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", board.https))
        .await
        .expect("connected");
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let mut stream = tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .expect("a handshake");
    stream.write_all(words.as_bytes()).await.expect("written");
    let mut heard = Vec::new();
    // However it ends: it ends.
    let _ = stream.read_to_end(&mut heard).await;
    String::from_utf8(heard).expect("text")
}

#[test]
fn clients_that_stall_are_let_go() {
    let short = Duration::from_millis(200);
    let hours = Duration::from_secs(3600);
    let board = Board::with(Limits {
        patience: short,
        connections: 2,
        lifetime: hours,
        ..Limits::default()
    });
    board.runtime.block_on(async {
        // All places are taken by clients that never say a word, and by more that wait.
        let mut silent = Vec::new();
        for _ in 0..5 {
            let stream = TcpStream::connect(("127.0.0.1", board.https)).await;
            silent.push(stream.expect("connected"));
        }
        assert_eq!(say(&board, "").await, "");
        assert_eq!(say(&board, "GET /redfish HTTP/1.1\r\nHost: ").await, "");
        let head = "PATCH /redfish/v1/Systems/1 HTTP/1.1\r\nHost: bmc\r\nAuthorization: Basic YWRtaW46cGxhY2VtYXQ=\r\n";
        let stalled = say(&board, &format!("{head}Content-Length: 9\r\n\r\n{{")).await;
        assert!(stalled.starts_with("HTTP/1.1 408 "), "{stalled}");
        assert!(stalled.contains("GeneralError"), "{stalled}");
        // One without a name is not waited for.
        let stranger = say(&board, "PATCH /redfish/v1/Systems/1 HTTP/1.1\r\nHost: bmc\r\nContent-Length: 9\r\n\r\n").await;
        assert!(stranger.starts_with("HTTP/1.1 401 "), "{stranger}");
        drop(silent);
    });
    let board = Board::with(Limits {
        patience: hours,
        lifetime: short,
        ..Limits::default()
    });
    let heard = board
        .runtime
        .block_on(say(&board, "GET /redfish HTTP/1.1\r\nHost: bmc\r\n\r\n"));
    assert!(heard.starts_with("HTTP/1.1 200 "), "{heard}");
}

#[test]
fn over_tls_with_curl() {
    if !have("curl") {
        return;
    }
    let board = Board::start();
    let (status, body) = board.curl(&[], "/redfish/v1/Systems/1");
    assert_eq!(status, "200");
    assert!(body.contains("\"PowerState\":\"Off\""), "{body}");
    let reset = |kind: &str| {
        board
            .curl(
                &["-X", "POST", "-d", &format!("{{\"ResetType\":\"{kind}\"}}")],
                RESET,
            )
            .0
    };
    assert_eq!(reset("On"), "204");
    assert_eq!(reset("ForceRestart"), "204");
    let boot = "{\"Boot\":{\"BootSourceOverrideTarget\":\"UefiHttp\",\"BootSourceOverrideEnabled\":\"Once\"}}";
    assert_eq!(board.curl(&["-X", "PATCH", "-d", boot], SYSTEM).0, "200");
    assert_eq!(reset("PowerCycle"), "204");
    assert_eq!(
        board.machine.acts(),
        [
            "power on",
            "reset",
            "arm from UefiHttp Once efi=true",
            "power off",
            "power on from UefiHttp Once efi=true",
            "arm"
        ]
    );
    board.bmc.set_fault(Fault::Unreachable, true);
    assert_eq!(board.curl(&["--max-time", "1"], SYSTEM).0, "000");
    board.bmc.set_fault(Fault::Unreachable, false);
    assert_eq!(board.curl(&[], SYSTEM).0, "200");
}

#[test]
fn the_certificate_is_the_authoritys() {
    if !have("curl") {
        return;
    }
    let board = Board::start();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, board.authority.pem()).expect("written");
    let output = std::process::Command::new("curl")
        .args(["-s", "--noproxy", "*", "--cacert"])
        .arg(&path)
        .arg(format!("https://127.0.0.1:{}/redfish", board.https))
        .output()
        .expect("curl runs");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "{\"v1\":\"/redfish/v1/\"}",
        "{output:?}"
    );
}
