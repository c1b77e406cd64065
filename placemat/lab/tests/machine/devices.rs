//! TPM and screen.

use crate::fixture::{Act, Fixture, PATIENCE, built, fixture, found};
use placemat_lab::machine::{ScreenError, Tpm};
use placemat_spec::event::{BootPhase, LabEventKind};
use std::fs;
use std::path::Path;

/// The swtpm of a machine, by its state folder.
fn swtpm(state: &Path) -> Option<String> {
    let pids = fs::read_dir("/proc").expect("/proc").flatten();
    pids.map(|entry| entry.path()).find_map(|path| {
        let environment = fs::read(path.join("environ")).ok()?;
        let wanted = format!("TPM_PATH={}", state.display());
        let name = path.file_name()?.to_str()?.to_owned();
        environment
            .split(|byte| *byte == 0)
            .any(|word| word == wanted.as_bytes())
            .then_some(name)
    })
}

fn with(
    fixture: &Fixture,
    change: impl FnOnce(&mut placemat_lab::machine::MachineSpec),
) -> Fixture {
    let mut spec = fixture.machine.spec().clone();
    change(&mut spec);
    built(spec, tempfile::tempdir().expect("folder"), Vec::new())
}

#[tokio::test]
async fn a_tpm_lives_as_long_as_its_machine_and_its_state_longer() {
    let Some(program) = found("swtpm", "swtpm") else {
        return;
    };
    let Some(plain) = fixture(&[("first", Act::Halt)]) else {
        return;
    };
    // No option of swtpm's takes a comma.
    let state = plain.folder.path().join("state, of the tpm");
    let tpm = Tpm {
        program,
        state: state.clone(),
        log: plain.folder.path().join("swtpm.log"),
    };
    let mut fixture = with(&plain, |spec| spec.tpm = Some(tpm));
    let machine = fixture.machine.clone();
    let kept = state.join("tpm2-00.permall");
    let mut made = None;
    for boot in 1..=2 {
        machine.power_on(None, "start").await.expect("on");
        fixture.phase(BootPhase::Userspace, boot).await;
        assert!(swtpm(&state).is_some());
        machine.power_off("ipmi").await;
        assert_eq!(swtpm(&state), None, "it has ended when the machine has");
        // The endorsement seed stands at the beginning of it; time and counters after.
        let now = fs::read(&kept).expect("state");
        let made = made.get_or_insert_with(|| now.clone());
        assert_eq!(made.len(), now.len(), "the same TPM, not a new one");
    }
    // One that dies by itself is news, and no more than that.
    machine.power_on(None, "start").await.expect("on");
    fixture.phase(BootPhase::Userspace, 3).await;
    let pid = swtpm(&state).expect("it runs");
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid])
        .status();
    assert!(killed.expect("kill").success());
    fixture
        .event(|what| {
            matches!(what, LabEventKind::Note { text }
                if text.starts_with("its TPM (swtpm) ended by itself (signal: 9 (SIGKILL)"))
        })
        .await;
    assert!(machine.is_on());
    fixture.end().await;
    plain.end().await;
}

#[tokio::test]
async fn a_tpm_that_cannot_start_is_the_machines_error() {
    let Some(plain) = fixture(&[("first", Act::Halt)]) else {
        return;
    };
    let tpm = Tpm {
        program: "/no/such/swtpm".into(),
        state: plain.folder.path().join("tpm"),
        log: plain.folder.path().join("swtpm.log"),
    };
    let broken = with(&plain, |spec| spec.tpm = Some(tpm));
    let error = broken
        .machine
        .power_on(None, "start")
        .await
        .expect_err("no swtpm");
    assert_eq!(error.to_string(), "start /no/such/swtpm for cs1");
    assert!(!broken.machine.is_on());
    broken.end().await;
    plain.end().await;
}

#[tokio::test]
async fn a_screen_can_be_looked_at() {
    let Some(plain) = fixture(&[("first", Act::Halt)]) else {
        return;
    };
    let folder = plain.folder.path().to_owned();
    let socket = folder.join("vnc");
    let mut fixture = with(&plain, |spec| spec.video = Some(socket.clone()));
    let machine = fixture.machine.clone();
    let picture = folder.join("screen.png");
    assert!(matches!(
        machine.screenshot(&picture).await,
        Err(ScreenError::Machine(_))
    ));
    machine.power_on(None, "start").await.expect("on");
    fixture.phase(BootPhase::Userspace, 1).await;
    machine.screenshot(&picture).await.expect("a picture");
    let bytes = fs::read(&picture).expect("read");
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    // Text mode, as the BIOS leaves it.
    assert_eq!(bytes[16..24], [0, 0, 2, 208, 0, 0, 1, 144], "720 x 400");
    // Whoever looks at it by VNC is greeted.
    let mut viewer = tokio::net::UnixStream::connect(&socket).await.expect("VNC");
    let mut greeting = [0; 12];
    let read = tokio::io::AsyncReadExt::read_exact(&mut viewer, &mut greeting);
    let read = tokio::time::timeout(PATIENCE, read).await.expect("in time");
    read.expect("greeting");
    assert!(greeting.starts_with(b"RFB 003."), "{greeting:?}");

    fixture.end().await;

    plain.machine.power_on(None, "start").await.expect("on");
    let none = plain.machine.screenshot(&picture).await;
    assert_eq!(
        none.expect_err("no screen").to_string(),
        "cs1 has no screen; `video: true` gives it one"
    );
    plain.end().await;
}
