//! What one key asks of another, and values that follow from more than their shape.

use super::{Draw, Node};
use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// Keeps one of several keys; the first that is there, else `least`.
fn one_of(map: &mut Object, keys: &[&str], least: impl FnOnce() -> Value) {
    let given = keys.iter().position(|key| map.contains_key(*key));
    for key in keys.iter().skip(given.map_or(0, |at| at + 1)) {
        map.remove(*key);
    }
    if given.is_none() {
        map.insert(keys[0].to_owned(), least());
    }
}

fn is(map: &Object, key: &str, value: &str) -> bool {
    map.get(key).is_some_and(|it| it == value)
}

fn objects<'m>(map: &'m mut Object, key: &str) -> impl Iterator<Item = &'m mut Object> + use<'m> {
    let list = map.get_mut(key).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

impl Draw<'_> {
    /// Values of keys whose shape does not say enough; `None` where it does.
    pub(super) fn special(&mut self, path: &str) -> Option<Value> {
        let key = path.rsplit('.').next().unwrap_or_default();
        let before = path.len() - key.len();
        Some(match (&path[..before], key) {
            (around, "name") if around.ends_with("interfaces[].") => {
                let number = self.unique();
                json!(format!(
                    "{}{number}",
                    self.pick(&["up", "0x", "é", "a=b,", "1e"])?
                ))
            }
            (around, "*") if around.ends_with(".labels.") => json!(self.word()),
            (_, "workdir" | "target") => json!(format!("/{}", self.text())),
            (_, "group") => json!(self.pick(&["nogroup", "0", "1e3"])?),
            (_, "exec") => json!(format!("/bin/{}", self.text())),
            (_, "command") => {
                let program = self.pick(&["true", "é", "no", "a b", "--x"])?;
                let count = self.below(4);
                let mut words = vec![program.to_owned()];
                words.extend((0..count).map(|_| self.text()));
                json!(words)
            }
            (_, "mode") => json!(
                self.pick(&["0755", "7777", "0", "1e3"].map(|mode| mode.replace("1e3", "700")))?
            ),
            (_, "caps-retain[]") => json!(self.pick(&["CAP_CHOWN", "CAP_BPF"])?),
            (_, "qemu-args[]") => json!(format!("x{}", self.text())),
            (_, "kernel-params" | "kernel-params[]") => {
                json!(self.pick(&["quiet", "console=ttyS0 a=\"b\"", "1e3", ""])?)
            }
            (_, "http" | "dhcp") if path.contains(".faults.") => {
                let (word, more) = [("rate", "1mbit"), ("delay", "7s")][usize::from(key == "dhcp")];
                match self.below(3) {
                    0 => json!("silent"),
                    1 => json!({"how": "slow"}),
                    _ => json!({"how": "slow", word: more}),
                }
            }
            ("BootServer.", "dhcp") => self.dhcp(),
            ("BootServer.", "machines") => self.machines(),
            ("BootServer.", "loopback") => {
                let number = self.unique();
                json!([format!("10.100.{}.{}/32", number >> 8, number & 255)])
            }
            ("Node.", "bmc") => {
                let number = self.unique();
                let mut bmc =
                    json!({"address": format!("10.200.{}.{}", 1 + number / 200, 1 + number % 200)});
                for (key, word) in [
                    ("user", "1e3"),
                    ("password", "no no"),
                    ("fault", "lies-about-power"),
                ] {
                    if self.chance() {
                        bmc[key] = json!(word);
                    }
                }
                bmc
            }
            ("Node.", "boot-order" | "depends-on") => {
                let words = if key == "boot-order" {
                    vec!["network".to_owned(), "disk".to_owned()]
                } else {
                    self.names.machines.clone()
                };
                let turn = self.below(2);
                json!(words.into_iter().skip(turn).take(2).collect::<Vec<_>>())
            }
            ("Power.", "loads") => {
                let nodes = !self.names.machines.is_empty();
                let words: Vec<String> = self.names.machines.clone();
                let one = self.pick(&words);
                json!(one.into_iter().filter(|_| nodes).collect::<Vec<_>>())
            }
            _ => return None,
        })
    }

    fn dhcp(&mut self) -> Value {
        let number = self.unique();
        let (high, low) = (number >> 8, number & 255);
        let at = |last: u32| format!("10.{}.{low}.{last}", 150 + high);
        let mut range = json!({"subnet": at(0) + "/24", "start": at(10), "end": at(20)});
        if self.chance() {
            range["router"] = json!(at(1));
        }
        if self.chance() {
            range["lease"] = json!("90m");
        }
        let mac = format!("52:54:01:00:{high:02x}:{low:02x}");
        match self.below(3) {
            0 => json!({}),
            1 => json!({"ranges": [range]}),
            _ => json!({"ranges": [range], "hosts": [{"mac": mac, "address": at(30)}]}),
        }
    }

    /// Every node may have an entry, by whatever it can be called.
    fn machines(&mut self) -> Value {
        let mut list = Vec::new();
        for Node { name, serial, mac } in self.names.nodes.clone() {
            let mut entry = match (self.below(4), serial, mac) {
                (0, ..) => continue,
                (1, Some(serial), _) => json!({"serial": serial}),
                (2, _, Some(mac)) => json!({"mac": mac}),
                (3, ..) => json!({"nodes": format!("node/{name}")}),
                _ => json!({"node": name}),
            };
            for (key, value) in [
                ("image", json!(self.names.bundles[0])),
                ("boot", json!("ipxe")),
                ("kernel-params", json!(["quiet", "a=1 1e3"])),
                ("config", json!("boot/no")),
                ("ignition", json!("/1e3")),
            ] {
                if self.chance() {
                    entry[key] = value;
                }
            }
            if entry.get("kernel-params").is_some() {
                entry["boot"] = json!("ipxe");
            }
            list.push(entry);
        }
        json!(list)
    }

    /// Makes a resource's keys fit each other.
    pub(super) fn settle(&mut self, kind: &str, index: usize, map: &mut Object) {
        settle_impair(map);
        for interface in objects(map, "interfaces") {
            settle_impair(interface);
        }
        match kind {
            "Network" => self.settle_network(index, map),
            "Image" => settle_image(index, map),
            "DataFolder" => {
                one_of(map, &["dir", "files"], || json!("d"));
                objects(map, "files")
                    .for_each(|file| one_of(file, &["file", "url"], || json!("f")));
            }
            "Router" | "NetworkNamespace" | "Pod" => self.settle_router(kind, map),
            "Node" => self.settle_node(map),
            "BootServer" if map.contains_key("kernel-params") => {
                map.insert("boot".into(), json!("ipxe"));
            }
            _ => {}
        }
    }

    fn settle_network(&mut self, index: usize, map: &mut Object) {
        // Anybody may have an IPv6 address on it.
        if map.contains_key("mtu") {
            map.insert("mtu".into(), json!(1280 + self.below(9)));
        }
        match index {
            0 => {
                map.insert("type".into(), json!("internal"));
            }
            1 => {
                map.insert("type".into(), json!("bmc"));
                map.remove("addresses");
                map.insert("address".into(), json!("10.200.0.1/16"));
            }
            _ if is(map, "type", "bmc") => {
                map.insert("type".into(), json!("external"));
            }
            _ => {}
        }
        if is(map, "type", "internal") {
            map.remove("address");
            map.remove("addresses");
        } else {
            let none = map.get("addresses").is_some_and(|it| *it == json!([]));
            if none {
                map.remove("addresses");
            }
            let number = self.unique();
            one_of(map, &["address", "addresses"], || {
                json!(format!("172.16.{number}.0/24"))
            });
        }
        if !is(map, "type", "external") && map.contains_key("use-nat") {
            map.insert("use-nat".into(), json!(false));
        }
    }

    fn settle_router(&mut self, kind: &str, map: &mut Object) {
        let limits = map.get("limits").and_then(Value::as_object);
        if limits.is_some_and(Map::is_empty) {
            map.insert("limits".into(), json!({"cpu": 0.1}));
        }
        if map.contains_key("image") {
            map.remove("rootfs");
        }
        if kind != "Router" && map.get("interfaces").is_none_or(|it| *it == json!([])) {
            let network = self.names.networks[0].clone();
            map.insert("interfaces".into(), json!([network]));
        }
        let volumes: Vec<Value> = objects(map, "volumes")
            .map(|it| it["name"].clone())
            .collect();
        let mut started: Vec<Value> = map.get("bird").map(|_| json!("bird")).into_iter().collect();
        let on_image = map.contains_key("image");
        for app in objects(map, "apps") {
            if kind == "Router" && !on_image && !app.contains_key("command") {
                app.insert("command".into(), json!(["true"]));
            }
            if app.contains_key("after") {
                app.insert("after".into(), json!(started));
            }
            started.extend(app.get("name").cloned());
            if app.contains_key("group")
                && app
                    .get("user")
                    .is_some_and(|it| it.to_string().contains(':'))
            {
                app.remove("group");
            }
            if let Some(ready) = app.get_mut("ready") {
                ready["interval"] = json!("70ms");
            }
            for mount in objects(app, "mount") {
                mount.extend(
                    volumes
                        .first()
                        .map(|name| ("volume".to_owned(), name.clone())),
                );
            }
            if volumes.is_empty() {
                app.remove("mount");
            }
        }
        if kind == "Pod" && map["apps"] == json!([]) {
            map.insert("apps".into(), json!([{"name": "a", "image": "docker://a"}]));
        }
    }

    fn settle_node(&mut self, map: &mut Object) {
        one_of(map, &["smp", "cpu"], || json!({}));
        if let Some(smp) = map.get_mut("smp") {
            *smp = match self.below(3) {
                0 => json!({"cpus": 4, "maxcpus": 8}),
                1 => json!({"sockets": 2, "dies": 1, "threads": 2, "cores": 3, "maxcpus": 12}),
                _ => json!({"cpus": 6}),
            };
        }
        if map.contains_key("numa") {
            map.insert("numa".into(), json!({"nodes": 2}));
            if map.get("cpu").is_some_and(|it| *it == json!(1)) {
                map.insert("cpu".into(), json!(5));
            }
        }
        one_of(map, &["firmware", "uefi"], || json!({}));
        let firmware = map.get_mut("firmware").and_then(Value::as_object_mut);
        let mut wants = ["secure-boot", "nvram", "http-boot"].into_iter();
        if let Some(firmware) = firmware
            && wants.any(|key| firmware.contains_key(key))
        {
            firmware.insert("uefi".into(), json!(true));
        }
        if is(map, "tier", "netns") || is(map, "tier", "kernel") {
            let bundle = self.names.bundles[0].clone();
            map.insert("image".into(), json!(bundle));
        }
        let mock = is(map, "tier", "mock");
        for interface in objects(map, "interfaces") {
            if mock {
                interface.remove("impair");
            }
        }
        for volume in objects(map, "volumes") {
            if is(volume, "protocol", "virtiofs") {
                volume.insert("writable".into(), json!(true));
            }
        }
    }

    /// What later resources can name.
    pub(super) fn remember(&mut self, kind: &str, name: &str, map: &Object) {
        let names = &mut self.names;
        let name = name.to_owned();
        match kind {
            "Network" => names.networks.push(name),
            "Image" => {
                if map.contains_key("bundle") {
                    names.bundles.push(name.clone());
                }
                names.images.push(name);
            }
            "DeviceClass" => names.classes.push(name),
            "DataFolder" => names.folders.push(name),
            "Power" => {}
            machine => {
                if machine == "Node" {
                    let text = |value: &Value| value.as_str().map(str::to_owned);
                    let nics = map.get("interfaces").and_then(Value::as_array);
                    let mut macs = nics
                        .into_iter()
                        .flatten()
                        .filter_map(|nic| text(nic.get("mac")?));
                    names.nodes.push(Node {
                        name: name.clone(),
                        serial: map.get("smbios").and_then(|it| text(it.get("serial")?)),
                        mac: macs.next_back(),
                    });
                }
                names.machines.push(name);
            }
        }
    }
}

fn settle_impair(map: &mut Object) {
    if let Some(impair) = map.get_mut("impair").and_then(Value::as_object_mut) {
        let delay = ["jitter", "reorder"]
            .iter()
            .any(|key| impair.contains_key(*key));
        if delay || impair.is_empty() {
            impair.insert("delay".into(), json!("2d"));
        }
    }
}

fn settle_image(index: usize, map: &mut Object) {
    if index == 0 {
        map.remove("file");
        map.remove("url");
    } else if index == 1 {
        map.remove("bundle");
    }
    one_of(
        map,
        if index == 0 {
            &["bundle"]
        } else {
            &["file", "url", "bundle"]
        },
        || json!("x"),
    );
    if map.contains_key("bundle") {
        map.remove("compression");
        map.remove("sha256");
    }
}
