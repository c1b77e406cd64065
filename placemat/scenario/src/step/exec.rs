//! `exec`: runs a command.

use super::{Command, StepBody};
use crate::context::Context;
use crate::load::{Key, Reader, Row, Value};
use crate::outcome::Outcome;
use crate::port::ExecOutput;
use async_trait::async_trait;
use placemat_spec::selector::Target;
use std::time::Duration;

const KEYS: &[Key] = &{
    let [at, argv, run, env, stdin, expect] = *Command::KEYS else {
        panic!()
    };
    let outputs = Key::optional(
        "outputs",
        "{NAME: stdout | stderr | exit}",
        "kept for later steps as `$(ID.NAME)`; the step needs an `id`",
    );
    [at, argv, run, env, stdin, expect, outputs]
};

pub(super) const ROW: Row<super::Parse> = Row {
    name: "exec",
    doc: "runs a command at each target, and checks how it ends",
    keys: KEYS,
    parse,
};

#[derive(Debug)]
struct Exec {
    command: Command,
    id: Option<String>,
    outputs: Vec<(String, &'static str)>,
}

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn StepBody>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    let command = Command::parse(reader, value, &fields);
    let outputs = reader.outputs(fields.get("outputs"), &["stdout", "stderr", "exit"]);
    let id = reader.step_id();
    Some(Box::new(Exec {
        command: command?,
        id,
        outputs: outputs?,
    }))
}

impl Exec {
    fn keep(&self, cx: &Context, at: &Target, output: &ExecOutput) {
        let Some(id) = &self.id else { return };
        for (name, what) in &self.outputs {
            let value = match *what {
                "stdout" => String::from_utf8_lossy(&output.stdout)
                    .trim_end()
                    .to_owned(),
                "stderr" => String::from_utf8_lossy(&output.stderr)
                    .trim_end()
                    .to_owned(),
                _ => output.exit.to_string(),
            };
            cx.keep(id, name, at, value);
        }
    }
}

#[async_trait]
impl StepBody for Exec {
    async fn run(&self, cx: &Context) -> Outcome {
        let mut wrong = Vec::new();
        // As long as the step's own deadline gives it.
        let time = cx.deadline.remaining();
        for (target, answer) in self.command.run(cx, time).await {
            let judged = answer.and_then(|output| {
                self.keep(cx, &target, &output);
                self.command.judge(cx, &target, &output)
            });
            if let Err(why) = judged {
                wrong.push(format!(
                    "{target}: {why}; expected {}",
                    self.command.expected()
                ));
            }
        }
        if wrong.is_empty() {
            return Outcome::pass();
        }
        let mut lines = vec![self.command.describe()];
        lines.extend(crate::words::capped(wrong, 12));
        Outcome::fail(lines.join("\n"))
    }

    fn describe(&self) -> String {
        self.command.describe()
    }

    fn default_timeout(&self) -> Option<Duration> {
        Some(Duration::from_secs(30))
    }
}
