//! `boot/NAME/`: what the boot server tells each machine about itself: its name and loopback
//! (`node.env`) and its routing daemon (`bird.conf`).

use super::bird::Context;
use super::{File, Templates};
use crate::topology::Plan;
use minijinja::value::{Serde, Value};

pub(super) fn render(plan: &Plan, templates: &Templates) -> Result<Vec<File>, minijinja::Error> {
    let mut files = Vec::new();
    for server in plan.servers.iter().filter(|server| server.runs) {
        let folder = format!("boot/{}", server.speaker.name);
        // Most of the time goes into this, with a thousand racks.
        let context = Value::from(Serde(Context::new(plan, server, &server.speaker)));
        files.push(templates.file_of(format!("{folder}/node.env"), "node.env", &context)?);
        files.push(templates.file_of(format!("{folder}/bird.conf"), "server.conf", &context)?);
    }
    Ok(files)
}
