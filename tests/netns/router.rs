//! Routers on OCI images, their programs, scripts, logs and limits, in one lab.

#[path = "../../placemat/lab/src/oci/tests/layout.rs"]
mod layout;

use layout::{Entry, Pack, tar};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use placemat_tests::{Attached, Lab, Need, Place, needs, poll};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// Programs that busybox is, in the image.
const APPLETS: [&str; 13] = [
    "sh", "cat", "echo", "id", "ls", "ping", "pwd", "sleep", "tail", "test", "touch", "true", "ip",
];

const CLUSTER: &str = r#"
{kind: Network, name: net0, type: internal}
---
kind: Router
name: box
image: "oci:image:v1"
interfaces: [{network: net0, addresses: [10.1.0.1/24]}]
init-scripts: [hello.sh]
limits: {memory: 48MiB, cpu: 0.5, pids: 40}
apps:
  - name: main
  - name: slow
    command: [sh, -c, "echo slow; sleep 0.3; touch /run/slow; exec sleep 1000"]
    user: root
    ready: {command: [test, -e, /run/slow], interval: 20ms, timeout: 20s}
  - name: late
    command: [sh, -c, "echo \"late $(test -e /run/slow && id -u):$(id -g) in $(pwd)\"; exec sleep 1000"]
    after: [slow]
    user: "65534:33"
    workdir: /tmp
  - name: crash
    command: [sh, -c, "echo crash; exit 3"]
    restart: on-failure
  - {name: once, command: [echo, once], restart: no}
  - {name: hog, command: [tail, /dev/zero], restart: never}
---
{kind: DataFolder, name: files, dir: files}
---
kind: Pod
name: pod
interfaces: [{network: net0, addresses: [10.1.0.4/24]}]
init-scripts: [hello.sh]
volumes:
  - {name: shared, kind: empty, mode: "0770", uid: 65534, gid: 33}
  - {name: files, kind: host, folder: files, readonly: true}
apps:
  - name: writer
    image: "oci:image:v1"
    env: {COLOUR: red}
    caps-retain: [CAP_NET_ADMIN]
    args: ["ip link set lo mtu 1400; echo \"writer $(id -u) $COLOUR $?\"; echo written > /a/b/file; exec sleep 1000"]
    mount: [{volume: shared, target: /a/b}]
  - name: reader
    image: "oci:image:v1"
    readonly-rootfs: true
    user: root
    group: www
    exec: /bin/sh
    args:
      - -c
      - |
        until test -s /c/file; do sleep 0.05; done
        touch /srv/no 2> /dev/null || echo "reader $(id -u):$(id -g) $(cat /c/file) $(cat /etc/files/data) $(touch /etc/files/no 2> /dev/null || echo ro) $(ip addr add 10.9.9.9/32 dev lo 2> /dev/null || echo weak) $(while read key value; do test $key != CapEff: || echo $value; done < /proc/self/status)"
        exec sleep 1000
    mount: [{volume: shared, target: /c}, {volume: files, target: /etc/files}]
    caps-retain: [CAP_NET_RAW, CAP_DAC_OVERRIDE, CAP_SYS_TIME]
---
kind: NetworkNamespace
name: broken
interfaces: [{network: net0, addresses: [10.1.0.2/24]}]
init-scripts: [bad.sh, hello.sh]
apps: [{name: never, command: [sleep, "1000"]}]
---
kind: NetworkNamespace
name: plain
interfaces: [{network: net0, addresses: [10.1.0.3/24]}]
apps:
  - {command: [sh, -c, "exit 0"]}
  - {name: stays, command: [sleep, "1000"]}
"#;

fn image(place: &Place) -> Option<()> {
    let busybox = ["/bin/busybox", "/usr/bin/busybox"]
        .iter()
        .find_map(|path| fs::read(path).ok())?;
    let mut base = vec![
        Entry::Folder("bin", 0o755),
        Entry::File("bin/busybox", busybox, 0o755),
        Entry::File(
            "etc/passwd",
            b"root:x:0:0::/:/bin/sh\nweb:x:65534:33::/srv:/bin/sh\n".to_vec(),
            0o644,
        ),
        Entry::File("etc/group", b"www:x:33:\n".to_vec(), 0o644),
        Entry::File("srv/gone", b"gone".to_vec(), 0o644),
        Entry::Owner(65534),
        Entry::Folder("srv", 0o755),
        Entry::Symlink("srv/link", "here"),
    ];
    for applet in APPLETS {
        let name: &'static str = Box::leak(format!("bin/{applet}").into_boxed_str());
        base.push(Entry::Link(name, "bin/busybox"));
    }
    let over = [
        Entry::File("srv/.wh.gone", Vec::new(), 0o644),
        Entry::File("srv/here", b"from the second layer\n".to_vec(), 0o644),
    ];
    let config = r#"{"User":"web","Env":["PATH=/bin","COLOUR=blue"],"Entrypoint":["/bin/sh","-c"],"Cmd":["echo \"main $(id -u):$(id -g) in $(pwd) is $COLOUR\"; exec sleep 1000"],"WorkingDir":"/srv"}"#;
    let layers = [(tar(&base), Pack::Gzip), (tar(&over), Pack::Plain)];
    layout::write(&place.dir().join("image"), &layers, config);
    Some(())
}

fn script(place: &Place, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = place.write(name, text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("chmod");
}

fn app_events(lab: &Lab, object: &str, app: &str) -> Vec<Value> {
    let mut events = lab.events();
    events.retain(|event| event["object"] == object && event["app"] == app);
    events
}

fn told(lab: &Lab, object: &str, words: &str) -> bool {
    lab.events().iter().any(|event| {
        let text = event["text"].as_str().or(event["detail"].as_str());
        event["object"] == object && text.is_some_and(|text| text.contains(words))
    })
}

fn wait(what: &str, lab: &Lab, done: impl FnMut() -> bool) {
    let mut done = done;
    let reached = poll(PATIENCE, || done().then_some(()));
    let said = |target: &str| lab.say("logs", &[target]).text();
    assert!(
        reached.is_some(),
        "{what}: {:#?}\n{}{}",
        lab.events(),
        said("box"),
        said("pod")
    );
}

/// Control groups of a lab, wherever this host has them.
fn groups(id: &str) -> Vec<PathBuf> {
    let name = format!("placemat-{id}");
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            if entry.file_name() == *name {
                found.push(entry.path());
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
            }
        }
    }
    found
}

#[test]
fn on_images_with_programs_scripts_logs_and_limits() {
    if !needs(&[Need::Root, Need::Busybox, Need::Cgroups]) {
        return;
    }
    let place = Place::new();
    image(&place).expect("busybox");
    place.write("files/data", "of-the-host\n");
    script(
        &place,
        "hello.sh",
        "#!/bin/sh\necho hello from $(ls /sys/class/net | tail -n 1)\n",
    );
    script(
        &place,
        "bad.sh",
        "#!/bin/sh\necho fine so far\necho no such thing >&2\nexit 3\n",
    );
    // One namespace's script fails: that is its own matter, and the lab comes up.
    let lab = place.up(&place.write("box.yml", CLUSTER));
    let said = |target: &str| lab.say("logs", &[target]).well().out;

    isolated(&lab);
    // A pod's apps have an image each, and share volumes, links and processes.
    wait("writer", &lab, || {
        said("router/pod/writer") == "writer 65534 red 0\n"
    });
    wait("reader", &lab, || {
        said("router/pod/reader") == "reader 0:33 written of-the-host ro weak 0000000000002002\n"
    });
    assert_eq!(
        lab.exec("router/pod", &["cat", "/run/.volume/shared/file"])
            .well()
            .out,
        "written\n"
    );
    wait("main", &lab, || {
        said("router/box/main") == "main 65534:33 in /srv is blue\n"
    });
    // It started after `slow` was ready, as another user.
    wait("late", &lab, || {
        said("router/box/late") == "late 65534:33 in /tmp\n"
    });
    let at = |app: &str, state: &str| {
        let events = app_events(&lab, "router/box", app);
        let event = events.iter().find(|event| event["state"] == state);
        event
            .and_then(|event| event["t_ms"].as_f64())
            .expect("an event")
    };
    assert!(at("late", "started") > at("slow", "ready"));
    // One fails and fails, one ends well, one is killed for its memory: the rest goes on.
    wait("crash", &lab, || {
        app_events(&lab, "router/box", "crash").len() > 6
    });
    let once: Vec<Value> = app_events(&lab, "router/box", "once");
    assert_eq!(
        once.iter()
            .filter(|event| event["state"] == "started")
            .count(),
        1
    );
    wait("hog", &lab, || {
        told(&lab, "router/box", "signal 9, its memory is out")
    });
    assert!(told(
        &lab,
        "router/box",
        "memory is out (limit 48M): the kernel killed a process"
    ));
    assert_eq!(app_events(&lab, "router/box", "hog").len(), 3);
    assert_eq!(app_events(&lab, "router/box", "main").len(), 2);
    // The failed script and its last words; what comes after it was not started.
    assert!(told(
        &lab,
        "router/broken",
        "exited with 3: fine so far | no such thing"
    ));
    assert!(app_events(&lab, "router/broken", "never").is_empty());
    // Placemat v2's namespaces need no names, and may end well for good.
    assert_eq!(app_events(&lab, "router/plain", "app0").len(), 3);
    logs(&place, &lab);

    // Killed, it leaves empty folders, which go with its run directory.
    let id = lab.id.clone();
    assert!(!groups(&id).is_empty());
    kill(Pid::from_raw(lab.init), Signal::SIGKILL).expect("kill");
    drop(lab);
    let swept = poll(PATIENCE, || {
        place.say(&["prune"]).well();
        (groups(&id).is_empty() && place.run_dirs().is_empty()).then_some(())
    });
    assert!(swept.is_some(), "{:?} are left", groups(&id));
    place.assert_nothing_left();
}

/// The image's files, read-only but where they are not; the router's own processes and links.
fn isolated(lab: &Lab) {
    let sh = |script: &str| lab.exec("router/box", &["sh", "-c", script]);
    assert_eq!(
        sh("cat /srv/link; ls /srv").well().out,
        "from the second layer\nhere\nlink\n"
    );
    assert_ne!(sh("touch /srv/new").code, Some(0));
    sh("touch /etc/new /tmp/new /run/new && test -c /dev/null && echo > /dev/null").well();
    let init = sh("cat /proc/1/cmdline").well().out;
    assert!(init.starts_with("placemat-init\0"), "{init}");
    assert_eq!(sh("ls /sys/class/net").well().out, "eth0\nlo\n");
    assert_eq!(sh("cat /proc/sys/kernel/hostname").well().out, "box\n");
    assert_eq!(sh("echo $COLOUR").well().out, "blue\n");
    let status = sh("cat /proc/self/status").well().out;
    let bound = status
        .split("CapBnd:")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    let bound = u64::from_str_radix(bound.expect("capabilities"), 16).expect("hexadecimal");
    assert_eq!(
        bound >> 25 & 1,
        0,
        "nothing in a lab may set the host's clock: {status}"
    );
    assert!(status.contains("SigBlk:\t0000000000000000\n"), "{status}");
    assert_ne!(sh("ls /home /root /usr/lib").code, Some(0));
}

fn logs(place: &Place, lab: &Lab) {
    let out = |arguments: &[&str]| lab.say("logs", arguments).well().out;
    assert_eq!(out(&["router/box/init-scripts"]), "hello from lo\n");
    assert_eq!(out(&["-n", "1", "router/box/crash"]), "crash\n");
    let all = out(&["box"]);
    assert!(
        all.contains("once | once\n") && all.contains("slow | slow\n"),
        "{all}"
    );
    assert_eq!(out(&["--since", "1h", "router/box/once"]), "once\n");
    wait("the clock of logs", lab, || {
        out(&["--since", "0s", "router/box/once"]).is_empty()
    });
    let wrong = lab.say("logs", &["router/box/crsh"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.text());
    assert!(
        wrong.err.contains("its programs are crash, hog,"),
        "{}",
        wrong.err
    );
    // Across restarts, until somebody stops it.
    let lines = || out(&["router/box/crash"]).lines().count();
    let mut follower = Attached::start(place, &["logs", "-f", "-n", "0", "router/box/crash"]);
    let before = lines();
    let came = poll(PATIENCE, || {
        (lines() > before + 1 && follower.said().contains("crash\ncrash\n")).then_some(())
    });
    assert!(came.is_some(), "{}", follower.said());
    follower.signal(Signal::SIGKILL);
    follower.wait(PATIENCE);
    assert!(Path::new(&lab.run_dir()).join("logs/times").exists());
}
