//! What the boot servers of a cluster ask of this host, before anything starts.

use crate::exit::Failure;
use placemat_host::probe::firmware;
use placemat_spec::resource::{BootMethod, BootServer};
use placemat_spec::{Cluster, Problem};

/// Refuses `boot: ipxe` where there is no iPXE to hand out, with the lines that asked.
pub(crate) fn check(cluster: &Cluster) -> Result<(), Failure> {
    let Err(error) = firmware::find_ipxe() else {
        return Ok(());
    };
    let problems = refused(cluster, &error);
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::of_host(&cluster.problems(problems)))
}

fn refused(cluster: &Cluster, error: &firmware::NoIpxe) -> Vec<Problem> {
    let asking = cluster
        .boot_servers
        .values()
        .filter(|server| server.hands_out_ipxe());
    let problem = |server: &BootServer| {
        let own = server
            .machines
            .iter()
            .find(|entry| entry.boot == Some(BootMethod::Ipxe));
        let usual = server.boot == BootMethod::Ipxe;
        let place = own
            .filter(|_| !usual)
            .map_or(server.place, |entry| entry.place);
        let message = format!("BootServer `{}` cannot hand out iPXE", server.name);
        Problem::new("missing-program", message)
            .at(place, "says `boot: ipxe`")
            .help(error.to_string())
    };
    asking.map(problem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use placemat_spec::Source;

    #[test]
    fn says_which_line_asked() {
        let text = "\
kind: Image
name: os
bundle: b
---
kind: Node
name: n
---
kind: BootServer
name: all
loopback: [10.0.0.1/32]
image: os
boot: ipxe
---
kind: BootServer
name: some
loopback: [10.0.0.2/32]
image: os
machines: [{node: n, boot: ipxe}]
---
kind: BootServer
name: none
loopback: [10.0.0.3/32]
image: os
";
        let (cluster, _) =
            Cluster::load(vec![Source::inline("dc.yml", text)]).expect("a good file");
        let problems = refused(&cluster, &firmware::NoIpxe);
        insta::assert_snapshot!(cluster.problems(problems).to_string());
    }
}
