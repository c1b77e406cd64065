//! CPUs, memory and NUMA on QEMU's command line.

use super::Line;
use crate::machine::MachineSpec;
use placemat_host::probe::accel::Accelerator;

pub(super) fn add(line: &mut Line, spec: &MachineSpec) {
    let cpu = &spec.cpu;
    let best = match spec.accelerator {
        Accelerator::Kvm => "host",
        Accelerator::Tcg => "max",
    };
    let model = cpu.model.as_ref().map_or(best, |model| &*model.words);
    line.option("-cpu", model);
    line.option(
        "-smp",
        format!(
            "cpus={},maxcpus={},sockets={},dies={},cores={},threads={}",
            cpu.count, cpu.most, cpu.sockets, cpu.dies, cpu.cores, cpu.threads
        ),
    );
    line.option("-m", format!("{}M", spec.memory_mib));
    match spec.numa_nodes {
        None => memory(line, "ram", spec.memory_mib),
        Some(nodes) => numa(line, spec, nodes),
    }
}

/// Shared memory in a file of its own costs nothing and is what a checkpoint needs.
fn memory(line: &mut Line, id: &str, mib: u64) {
    line.option(
        "-object",
        format!("memory-backend-memfd,id={id},size={mib}M,share=on"),
    );
}

/// Since QEMU 5.2 the memory of each NUMA node is a back end of its own. The first nodes have what
/// does not divide.
fn numa(line: &mut Line, spec: &MachineSpec, nodes: u32) {
    let mut cpu = 0;
    for node in 0..nodes {
        let cpus = spec.cpu.most / nodes + u32::from(node < spec.cpu.most % nodes);
        let (count, rest) = (u64::from(nodes), spec.memory_mib % u64::from(nodes));
        let mib = spec.memory_mib / count + u64::from(u64::from(node) < rest);
        memory(line, &format!("ram{node}"), mib);
        let last = cpu + cpus - 1;
        line.option(
            "-numa",
            format!("node,nodeid={node},cpus={cpu}-{last},memdev=ram{node}"),
        );
        cpu += cpus;
    }
}
