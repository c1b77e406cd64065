//! Serves a BMC without a machine on loopback until standard input ends, to point clients at:
//! `cargo run -p placemat-bmc --example serve`. Users: `admin` / `placemat` and those of the tests.

#![expect(clippy::print_stdout, reason = "says where it listens")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::Read;

fn main() -> std::io::Result<()> {
    let board = support::Board::start();
    println!(
        "ipmitool -I lanplus -H 127.0.0.1 -p {} -U admin -P placemat",
        board.port
    );
    println!(
        "curl -k -u admin:placemat https://127.0.0.1:{}/redfish/v1/",
        board.https
    );
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
