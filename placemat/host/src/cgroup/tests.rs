//! Control groups in a folder made up for it: which layouts are told apart, and what is written where.

use super::layout::{counter, hierarchies};
use super::probe::probe_in;
use super::*;

const HYBRID: &str = "\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw shared:3 - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
";

fn folders(mountinfo: &str, own: &str) -> Vec<(String, Vec<&'static str>, bool)> {
    hierarchies(mountinfo, own)
        .into_iter()
        .map(|it| (it.folder.display().to_string(), it.controllers, it.unified))
        .collect()
}

#[test]
fn layouts_are_read() {
    let own = "8:pids:/\n4:memory:/a/b\n2:cpuacct:/\n1:cpu:/\n0::/\n";
    assert_eq!(
        folders(HYBRID, own),
        [
            ("/sys/fs/cgroup/pids/".into(), vec!["pids"], false),
            ("/sys/fs/cgroup/memory/a/b".into(), vec!["memory"], false),
            ("/sys/fs/cgroup/cpu/".into(), vec!["cpu"], false),
        ]
    );
    let unified =
        "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
    assert_eq!(
        folders(unified, "0::/user.slice/x.scope\n"),
        [(
            "/sys/fs/cgroup/user.slice/x.scope".into(),
            vec!["memory", "cpu", "pids"],
            true
        )]
    );
    // A container of v1's that sees its own part only, with two controllers in one hierarchy.
    let part = "1 0 0:5 /docker/x /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n";
    assert_eq!(
        folders(part, "3:cpu,cpuacct:/docker/x/y\n"),
        [("/sys/fs/cgroup/cpu,cpuacct/y".into(), vec!["cpu"], false)]
    );
    assert!(folders(part, "3:cpu,cpuacct:/elsewhere\n").is_empty());
    assert!(folders("", "").is_empty());
}

#[test]
fn counters_are_read() {
    let text = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
    assert_eq!(counter(text, "oom_kill"), Some(3));
    assert_eq!(counter(text, "max"), None);
}

/// A folder that looks like a delegated subtree of v2's: files take what the kernel would.
fn delegated(dir: &Path, controllers: &str) -> (String, String) {
    let own = dir.join("own.scope");
    fs::create_dir(&own).expect("a folder");
    fs::write(own.join("cgroup.controllers"), controllers).expect("a file");
    fs::write(own.join("cgroup.procs"), "").expect("a file");
    (
        format!("30 23 0:26 / {} rw - cgroup2 cgroup2 rw\n", dir.display()),
        "0::/own.scope\n".to_owned(),
    )
}

#[test]
fn a_delegated_subtree_gets_a_leaf_for_us_and_one_for_each_group() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mountinfo, own) = delegated(dir.path(), "cpuset cpu io memory pids\n");
    let support = probe_in(&mountinfo, &own).expect("support");
    let tree = Tree::create(&support, "abc").expect("made");
    let read = |path: &str| {
        fs::read_to_string(dir.path().join("own.scope").join(path)).unwrap_or_else(|_| "-".into())
    };
    assert_eq!(read("placemat-abc.self/cgroup.procs"), "0");
    assert_eq!(read("cgroup.subtree_control"), "+memory +cpu +pids");
    assert_eq!(
        read("placemat-abc/cgroup.subtree_control"),
        "+memory +cpu +pids"
    );
    let folders: Vec<_> = tree.folders().filter_map(Path::file_name).collect();
    assert_eq!(folders, ["placemat-abc", "placemat-abc.self"]);
    let limits = Limits {
        memory: Some(64 << 20),
        cpu_milli: Some(500),
        pids: None,
    };
    let group = tree.group("router-a", limits).expect("a group");
    assert_eq!(read("placemat-abc/router-a/memory.max"), "67108864");
    assert_eq!(read("placemat-abc/router-a/cpu.max"), "50000 100000");
    assert_eq!(read("placemat-abc/router-a/pids.max"), "-");
    fs::write(
        dir.path()
            .join("own.scope/placemat-abc/router-a/memory.events"),
        "low 0\noom 2\noom_kill 2\n",
    )
    .expect("a file");
    assert_eq!(group.memory_kills(), 2);
    assert_eq!(group.process_refusals(), 0);
}

#[test]
fn what_cannot_be_had_is_told_with_a_remedy() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mountinfo, own) = delegated(dir.path(), "hugetlb pids\n");
    let refused = probe_in(&mountinfo, &own).expect_err("no memory");
    assert_eq!(
        refused.reason,
        "this session has no control group with the controllers memory, cpu"
    );
    assert!(refused.remedy.contains("--scope -p Delegate=yes"));
    let crowd = tempfile::tempdir().expect("a folder");
    let (mountinfo, own) = delegated(crowd.path(), "cpu memory pids\n");
    fs::write(crowd.path().join("own.scope/cgroup.procs"), "1\n2\n").expect("a file");
    let refused = probe_in(&mountinfo, &own).expect_err("others are there");
    assert!(
        refused.reason.starts_with("other processes are in"),
        "{refused}"
    );
    assert!(probe_in("", "").is_err());
}

#[test]
fn only_groups_of_ours_are_swept() {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, group) in [("placemat-x", true), ("placemat-y", false), ("other", true)] {
        let folder = dir.path().join(name);
        fs::create_dir(&folder).expect("a folder");
        if group {
            fs::write(folder.join("cgroup.procs"), "").expect("a file");
        }
        sweep(&folder);
        // On a file system that is none of the kernel's, the file keeps its folder from going.
        assert!(folder.exists());
    }
}
