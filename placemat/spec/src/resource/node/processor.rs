//! Reads what a server computes with: CPUs and their topology, memory, NUMA.

use super::{Cpu, CpuModel, Memory};
use crate::document::{Fields, Item};
use crate::problem::Problem;
use crate::value::parse_size;

/// Memory, unless the file says otherwise. QEMU's own default, 128M, boots no server of today.
const MEMORY_MIB: u64 = 1024;
/// More than any machine has that could run this.
const MOST_MEMORY_MIB: u64 = 16 << 20;
/// More CPUs need interrupt remapping, which no machine here has.
const MOST_CPUS: u32 = 255;
/// More NUMA nodes than any server has.
const MOST_NUMA_NODES: u32 = 64;
/// Linux leaves out NUMA nodes that are not much larger than this.
const LEAST_NUMA_MIB: u64 = 16;

/// Takes `cpu` or placemat v2's `smp`, `cpu-model`, `memory` and `numa`.
pub(super) fn read(fields: &mut Fields<'_>) -> (Cpu, Memory) {
    let cpu = fields.opt("cpu").and_then(|it| it.integer(1..=MOST_CPUS));
    let smp = fields.opt("smp").map(|it| smp(&it));
    if let (Some(cpu), Some(smp)) = (fields.key_place("cpu"), fields.key_place("smp")) {
        fields.findings().error(
            Problem::new(
                "conflict",
                format!("{} has both `cpu` and `smp`", fields.describe()),
            )
            .at(smp, "keep one of the two")
            .at(cpu, "the other is here"),
        );
    }
    let model = fields.opt("cpu-model").and_then(|it| cpu_model(&it));
    let mut memory = memory(fields);
    let mut cpu = match smp {
        Some(smp) => smp.unwrap_or(Cpu::flat(1)),
        None => Cpu::flat(cpu.map_or(1, |it| it.value)),
    };
    cpu.model = model;
    if let Some(item) = fields.opt("numa") {
        memory.numa_nodes = numa(&item, &cpu, &memory);
        if let (Some(nodes), None) = (memory.numa_nodes, fields.key_place("smp")) {
            cpu.spread(nodes);
        }
    }
    (cpu, memory)
}

/// `smp: {cpus, sockets, dies, cores, threads, maxcpus}`. What is left out follows from the rest,
/// by QEMU's rule since 6.2: cores take up the slack, else sockets, else threads.
fn smp(item: &Item<'_>) -> Option<Cpu> {
    let mut fields = item.fields()?;
    let errors = fields.findings().error_count();
    let mut take = |key| {
        let count = fields.opt(key).and_then(|it| it.integer(1..=MOST_CPUS));
        count.map(|it| it.value)
    };
    let (cpus, most) = (take("cpus"), take("maxcpus"));
    let [mut sockets, dies, mut cores, mut threads] =
        ["sockets", "dies", "cores", "threads"].map(&mut take);
    fields.finish();
    if item.findings().error_count() > errors {
        return None;
    }
    let product = |all: [Option<u32>; 4]| {
        let each = all.iter().map(|count| u64::from(count.unwrap_or(1)));
        each.product::<u64>()
    };
    if let Some(total) = most.or(cpus) {
        let rest = u64::from(total) / product([sockets, dies, cores, threads]);
        let rest = u32::try_from(rest).ok().filter(|rest| *rest > 0);
        if let Some(slack) = [&mut cores, &mut sockets, &mut threads]
            .into_iter()
            .find(|count| count.is_none())
        {
            *slack = rest;
        }
    }
    let total = product([sockets, dies, cores, threads]);
    let wrong = |message: &str, label: String| {
        let problem = item.problem("bad-topology", message, label);
        item.findings()
            .error(problem.help("leave one of the numbers out, and it follows from the others"));
        None
    };
    let one = |count: Option<u32>| count.unwrap_or(1);
    let shown = format!(
        "{} sockets x {} dies x {} cores x {} threads = {total}",
        one(sockets),
        one(dies),
        one(cores),
        one(threads)
    );
    if let Some(wanted) = most.or(cpus).filter(|wanted| u64::from(*wanted) != total) {
        let name = if most.is_some() { "maxcpus" } else { "cpus" };
        return wrong(
            "does not add up",
            format!("{shown}, but {name} is {wanted}"),
        );
    }
    let Some(most) = u32::try_from(total).ok().filter(|most| *most <= MOST_CPUS) else {
        return wrong(&format!("makes more than {MOST_CPUS} CPUs"), shown);
    };
    let count = cpus.unwrap_or(most);
    if count > most {
        return wrong(
            "does not add up",
            format!("cpus is {count}, maxcpus {most}"),
        );
    }
    Some(Cpu {
        count,
        most,
        sockets: one(sockets),
        dies: one(dies),
        cores: one(cores),
        threads: one(threads),
        model: None,
    })
}

/// A name of QEMU's, and features after it: `EPYC,+x2apic`.
fn cpu_model(item: &Item<'_>) -> Option<CpuModel> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.,=+".contains(&byte);
    let text = item.parse(
        "bad-cpu-model",
        "a CPU model of QEMU's such as `EPYC` or `Skylake-Server,+x2apic`",
        |text| {
            if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(fine) {
                Ok(text.to_owned())
            } else {
                Err("`qemu-system-x86_64 -cpu help` lists them")
            }
        },
    )?;
    Some(CpuModel {
        words: text.value,
        place: text.place,
    })
}

/// Takes `memory`. A bare number is in MiB, as it is for QEMU.
fn memory(fields: &mut Fields<'_>) -> Memory {
    let default = Memory {
        mib: MEMORY_MIB,
        numa_nodes: None,
        place: fields.place(),
    };
    let Some(item) = fields.opt("memory") else {
        return default;
    };
    let size = item.parse("bad-size", "a size such as `512M` or `1G`", |text| {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            parse_size(&format!("{text}M"))
        } else {
            parse_size(text)
        }
    });
    let bytes = size.map_or(MEMORY_MIB << 20, |size| size.value);
    let mib = bytes >> 20;
    if !(16..=MOST_MEMORY_MIB).contains(&mib) || !bytes.is_multiple_of(1 << 20) {
        fields.findings().error(
            item.problem(
                "out-of-range",
                "must be whole MiB from 16M to 16T",
                "expected 16M to 16T",
            )
            .help("suffixes are `M` and `G`; a bare number is in MiB"),
        );
    }
    Memory {
        mib,
        place: item.place(),
        ..default
    }
}

/// `numa: {nodes}`: each node needs a CPU and some memory.
fn numa(item: &Item<'_>, cpu: &Cpu, memory: &Memory) -> Option<u32> {
    let mut fields = item.fields()?;
    let nodes = fields.req("nodes");
    let nodes = nodes.and_then(|it| it.integer(1..=MOST_NUMA_NODES));
    fields.finish();
    let nodes = nodes?;
    let wrong = |what: String, label: &str| {
        item.findings().error(
            Problem::new("conflict", format!("{} has {what}", item.describe()))
                .at(nodes.place, label),
        );
        None
    };
    if nodes.value > cpu.most {
        return wrong(
            format!("{} nodes for {} CPUs", nodes.value, cpu.most),
            "each needs a CPU of its own",
        );
    }
    if memory.mib / u64::from(nodes.value) < LEAST_NUMA_MIB {
        return wrong(
            format!("{} nodes for {}M of memory", nodes.value, memory.mib),
            "each needs 16M of memory",
        );
    }
    Some(nodes.value)
}
