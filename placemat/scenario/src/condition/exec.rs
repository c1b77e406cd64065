//! `exec`: what a command answers.

use super::{Atom, Findings, Probe};
use crate::context::{ATTEMPT, Context};
use crate::load::{Reader, Row, Value};
use crate::step::Command;
use async_trait::async_trait;

pub(super) const ROW: Row<super::Parse> = Row {
    name: "exec",
    doc: "a command ends as expected at each `at`",
    keys: Command::KEYS,
    parse,
};

#[derive(Debug)]
struct Exec(Command);

fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Box<dyn Probe>> {
    let fields = reader.fields(value, ROW.name, ROW.keys)?;
    Some(Box::new(Exec(Command::parse(reader, value, &fields)?)))
}

#[async_trait]
impl Probe for Exec {
    async fn probe(&self, cx: &Context, _thorough: bool) -> Findings {
        let expected = self.0.expected();
        let answers = self.0.run(cx, ATTEMPT.mul_f64(cx.run.slowness)).await;
        let atoms = answers
            .into_iter()
            .map(|(target, answer)| match answer {
                Err(error) => Atom::unknown(target.to_string(), error, expected.clone()),
                Ok(output) => match self.0.judge(cx, &target, &output) {
                    Ok(()) => Atom::new(target.to_string(), true, "as expected", expected.clone()),
                    Err(why) => Atom::new(target.to_string(), false, why, expected.clone()),
                },
            })
            .collect();
        Findings::all_of(atoms)
    }

    fn describe(&self) -> String {
        format!("exec {}", self.0.describe())
    }
}
