//! Reads `kind: Node`, and checks what it refers to.

use crate::neco::input::{Cpu, Disks, Network, Passed, ServerType};
use placemat_spec::document::{At, Fields, Item};
use placemat_spec::problem::{Findings, Problem, suggestion};
use placemat_spec::value::parse_size;

/// Every type of server.
pub(super) const TYPES: [(&str, &str); 3] = [("boot", "boot"), ("cs", "cs"), ("ss", "ss")];
/// Size of a disk of which nobody says it.
const DISK_SIZE: &str = "50G";
/// Most disks of one entry.
const MOST_DISKS: u32 = 64;
/// Most CPUs of a server.
const MOST_CPUS: u32 = 1024;
/// The image of the time server.
pub(super) const FLATCAR: &str = "flatcar";

pub(super) fn read(fields: &mut Fields<'_>) -> ServerType {
    let cpu = cpu(fields);
    let memory = fields.opt("memory").and_then(|it| memory(&it));
    let numa = fields.opt("numa").and_then(|it| numa(&it, cpu.as_ref()));
    let image = fields.opt("image").and_then(|it| it.string());
    let data = fields.opt("data").and_then(|it| it.strings());
    let disks = disks(fields);
    let boolean =
        |item: Option<Item<'_>>| item.and_then(|it| it.boolean()).is_some_and(|it| it.value);
    let uefi = boolean(fields.opt("uefi"));
    let tpm = boolean(fields.opt("tpm"));
    let template = fields.opt("cloud-init-template").and_then(|it| it.string());
    ServerType {
        cpu: cpu.unwrap_or_default(),
        memory,
        numa,
        disks,
        image,
        data: data.unwrap_or_default(),
        uefi,
        tpm,
        template,
    }
}

fn cpu(fields: &mut Fields<'_>) -> Option<Cpu> {
    let (count_at, smp_at) = (fields.key_place("cpu"), fields.key_place("smp"));
    let count = fields.opt("cpu").and_then(|it| it.integer(1..=MOST_CPUS));
    let smp = fields.opt("smp").and_then(|it| smp(&it));
    match (count_at, smp_at) {
        (None, None) => {
            let message = format!("{} has neither `cpu` nor `smp`", fields.describe());
            let problem = Problem::new("missing-key", message);
            let problem = problem
                .at(fields.place(), "one of the two is required here")
                .help("write `cpu: 2`, or `smp: {cpus: 4, sockets: 2}`");
            fields.missing(&["cpu", "smp"], problem);
        }
        (Some(count), Some(smp)) => fields.findings().error(
            Problem::new(
                "conflict",
                format!("{} has both `cpu` and `smp`", fields.describe()),
            )
            .at(smp, "keep one of the two")
            .at(count, "the other is here"),
        ),
        _ => {}
    }
    count.map(|count| Cpu::Count(count.value)).or(smp)
}

fn smp(item: &Item<'_>) -> Option<Cpu> {
    let mut fields = item.fields()?;
    let mut parts = Vec::new();
    for key in ["cpus", "cores", "threads", "dies", "sockets", "maxcpus"] {
        let count = fields.opt(key).and_then(|it| it.integer(1..=MOST_CPUS));
        parts.extend(count.map(|count| (key, count.value)));
    }
    fields.finish();
    adds_up(item, &parts);
    let cpu = Cpu::Topology(parts);
    if cpu.count() > MOST_CPUS {
        let label = format!("{} CPUs", cpu.count());
        let message = format!("makes more than {MOST_CPUS} CPUs");
        item.findings()
            .error(item.problem("bad-topology", &message, label));
    }
    Some(cpu)
}

/// What is not said of cores, sockets and threads follows from the number of CPUs, if it can.
fn adds_up(item: &Item<'_>, parts: &[(&'static str, u32)]) {
    let of = |key: &str| {
        let found = parts.iter().find(|(known, _)| *known == key);
        found.map(|(_, count)| u64::from(*count))
    };
    let Some(total) = of("maxcpus").or(of("cpus")) else {
        return;
    };
    let given: Vec<String> = ["sockets", "dies", "cores", "threads"]
        .into_iter()
        .filter_map(|key| Some(format!("{} {key}", of(key)?)))
        .collect();
    let product: u64 = ["sockets", "dies", "cores", "threads"]
        .into_iter()
        .filter_map(of)
        .product();
    let open = ["cores", "sockets", "threads"]
        .into_iter()
        .any(|key| of(key).is_none());
    if product == total || (open && total.is_multiple_of(product)) {
        return;
    }
    let label = format!("{} make {product}, not {total}", given.join(" x "));
    item.findings().error(
        item.problem("bad-topology", "does not add up", label)
            .help("leave one of the numbers out, and it follows from the others"),
    );
}

/// As QEMU takes it: a bare number is in MiB.
fn memory(item: &Item<'_>) -> Option<String> {
    let text = item.parse("bad-size", "a size such as `512M` or `2G`", |text| {
        let bytes = if text.bytes().all(|byte| byte.is_ascii_digit()) {
            parse_size(&format!("{text}M"))
        } else {
            parse_size(text)
        };
        bytes.map(|_| text.to_owned())
    })?;
    Some(text.value)
}

fn numa(item: &Item<'_>, cpu: Option<&Cpu>) -> Option<u32> {
    let mut fields = item.fields()?;
    let nodes = fields.req("nodes").and_then(|it| it.integer(1..=64u32));
    fields.finish();
    let nodes = nodes?;
    let count = cpu.map(Cpu::count);
    if let Some(count) = count.filter(|count| nodes.value > *count) {
        let label = format!("{} nodes for {count} CPUs", nodes.value);
        let problem = Problem::new(
            "bad-topology",
            format!("{} has more nodes than CPUs", item.describe()),
        );
        item.findings().error(problem.at(nodes.place, label));
    }
    Some(nodes.value)
}

/// `disk-count` and `disk-size`, or `disks`.
fn disks(fields: &mut Fields<'_>) -> Vec<Disks> {
    let (count_at, list_at) = (fields.key_place("disk-count"), fields.key_place("disks"));
    let size_at = fields.key_place("disk-size");
    let count = fields
        .opt("disk-count")
        .and_then(|it| it.integer(0..=MOST_DISKS));
    let size = fields.opt("disk-size").and_then(|it| size(&it));
    let list = fields.opt("disks").and_then(|it| it.list());
    for (key, place) in [("disk-count", count_at), ("disk-size", size_at)] {
        let (Some(place), Some(list)) = (place, list_at) else {
            continue;
        };
        fields.findings().error(
            Problem::new(
                "conflict",
                format!("{} has both `disks` and `{key}`", fields.describe()),
            )
            .at(place, "keep one of the two")
            .at(list, "the other is here")
            .help("an entry of `disks` has a `count` and a `size` of its own"),
        );
    }
    if let Some(list) = list {
        return list.iter().filter_map(listed).collect();
    }
    let size = size.unwrap_or_else(|| DISK_SIZE.into());
    let count = count.map(|count| count.value).filter(|count| *count > 0);
    let plain = |count| Disks {
        count,
        size,
        device_class: None,
        listed: false,
    };
    count.map(plain).into_iter().collect()
}

fn listed(item: &Item<'_>) -> Option<Disks> {
    let mut fields = item.fields()?;
    let device_class = fields.opt("device-class").and_then(|it| it.string());
    let count = fields
        .req("count")
        .and_then(|it| it.integer(1..=MOST_DISKS));
    let size = fields.req("size").and_then(|it| size(&it));
    fields.finish();
    Some(Disks {
        count: count?.value,
        size: size?,
        device_class,
        listed: true,
    })
}

fn size(item: &Item<'_>) -> Option<String> {
    let text = item.parse("bad-size", "a size such as `50G`", |text| {
        parse_size(text).map(|_| text.to_owned())
    })?;
    Some(text.value)
}

/// Images and device classes that servers name must be there.
pub(super) fn references<'a>(
    types: impl Iterator<Item = &'a ServerType>,
    images: &[Passed],
    classes: &[Passed],
    findings: &Findings,
) {
    for server in types {
        for image in server.image.iter().chain(&server.data) {
            exists("Image", image, images, findings);
        }
        for class in server
            .disks
            .iter()
            .filter_map(|disks| disks.device_class.as_ref())
        {
            exists("DeviceClass", class, classes, findings);
        }
    }
}

/// The time server is a virtual machine, with an image of its own.
pub(super) fn time_server(network: &Network, images: &[Passed], findings: &Findings) {
    let Some(ntp) = network.ntp else { return };
    if images.iter().any(|image| image.name == FLATCAR) {
        return;
    }
    findings.error(
        Problem::new("unknown-name", format!("there is no Image `{FLATCAR}`, which the time server boots"))
            .at(ntp.place, "asks for a time server")
            .help(format!(
                "add `kind: Image`, `name: {FLATCAR}` with a disk image of Flatcar, or remove `ntp`: there is no time server then"
            )),
    );
}

fn exists(kind: &str, name: &At<String>, passed: &[Passed], findings: &Findings) {
    if passed.iter().any(|one| one.name == name.value) {
        return;
    }
    let names: Vec<&str> = passed.iter().map(|one| one.name.as_str()).collect();
    let help = match names.as_slice() {
        [] => format!("add a document: `kind: {kind}`, `name: {}`", name.value),
        names => suggestion(&name.value, "there are", names),
    };
    findings.error(
        Problem::new(
            "unknown-name",
            format!("there is no {kind} `{}`", name.value),
        )
        .at(name.place, "unknown name")
        .help(help),
    );
}
