//! A full server as an ordinary user: bridges, taps, routers and QEMU in namespaces of the user's
//! own.

use crate::life::small;
use crate::turn::Turn;
use nix::sys::stat::{Mode, SFlag};
use placemat_tests::{Need, Place, Said, needs, placemat, poll, process, repository, run};
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// For one boot, on a busy machine without KVM.
const BOOT: Duration = Duration::from_secs(180);

/// A user of this test's own, with a home that everything it needs is copied into.
struct User {
    name: String,
    ids: (u32, u32),
    home: TempDir,
}

impl User {
    fn create() -> Self {
        let name = format!("placemat-e2e-{}", std::process::id());
        succeed(Command::new("useradd").args(["--no-create-home", "--user-group", &name]));
        let user = nix::unistd::User::from_name(&name)
            .expect("the user table")
            .expect("the new user");
        let ids = (user.uid.as_raw(), user.gid.as_raw());
        let home = tempfile::tempdir().expect("a temporary folder");
        chown(home.path(), Some(ids.0), Some(ids.1)).expect("give the home to the user");
        // As udev makes it, everybody may open `/dev/net/tun`. A container's host may have made it root's alone: then this
        // user gets one of its own, below.
        let tun = home.path().join("tun");
        nix::sys::stat::mknod(
            &tun,
            SFlag::S_IFCHR,
            Mode::empty(),
            nix::sys::stat::makedev(10, 200),
        )
        .expect("make a device node");
        std::fs::set_permissions(&tun, Permissions::from_mode(0o666)).expect("open it to all");
        Self { name, ids, home }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs the copied program as this user, to its end, in mounts of its own where `/dev/net/tun` is open to all.
    fn say(&self, arguments: &[&str]) -> Said {
        let mut command = run::command("unshare");
        command
            .args(["--mount", "--propagation", "private", "sh", "-c"])
            .arg(
                "mount --bind \"$1\" /dev/net/tun && uid=$2 gid=$3 && shift 3 && \
                 exec setpriv --reuid \"$uid\" --regid \"$gid\" --clear-groups -- \"$@\"",
            )
            .arg("sh")
            .arg(self.path("tun"))
            .args([self.ids.0.to_string(), self.ids.1.to_string()])
            .arg(self.path("placemat"))
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .env("HOME", self.home.path())
            .env("PLACEMAT_RUN_DIR", self.path("run"))
            .env("PLACEMAT_DATA_DIR", self.path("data"));
        run::run(command, BOOT)
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let _ = Command::new("userdel").arg(&self.name).output();
    }
}

fn succeed(command: &mut Command) {
    let output = command.output().expect("start a program");
    assert!(output.status.success(), "{command:?}: {output:?}");
}

#[test]
fn a_full_server_boots_for_an_ordinary_user() {
    let wanted = [
        Need::Root,
        Need::Users,
        Need::Bird,
        Need::Dnsmasq,
        Need::Qemu,
        Need::Image,
    ];
    if !needs(&wanted) {
        return;
    }
    let turn = Turn::take("rootless");
    let place = Place::new();
    let user = User::create();
    std::fs::copy(placemat(), user.path("placemat")).expect("copy the program");
    let bundle = repository().join("images/out/node");
    // The link's target under the link's name, links below as they are.
    succeed(
        Command::new("cp")
            .args(["-r", "-H", "--preserve=mode,links"])
            .args([&bundle, &user.path("node")]),
    );
    std::fs::write(user.path("small.yml"), small(&user.path("node"))).expect("write the spec");

    user.say(&["up", "--detach", "small.yml"]).well();
    let mut said = None;
    let image = poll(BOOT, || {
        std::thread::sleep(Duration::from_millis(500));
        let command = ["exec", "node/rack1-cs1", "--", "cat", "/etc/placemat-image"];
        let answer = said.insert(user.say(&command));
        (answer.code == Some(0)).then(|| answer.out.clone())
    });
    assert_eq!(
        image.as_deref().map(str::trim),
        Some("network"),
        "{said:?}\n{}",
        user.say(&["status"]).text()
    );
    turn.say("guest agent answers");
    user.say(&["down"]).well();

    let gone = poll(Duration::from_secs(10), || {
        process::carrying(user.home.path()).is_empty().then_some(())
    });
    assert!(gone.is_some(), "processes of the user are left");
    let left: Vec<_> = std::fs::read_dir(user.path("run"))
        .expect("the folder of run directories")
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .collect();
    assert!(left.is_empty(), "{left:?}");
    place.assert_nothing_left();
}
