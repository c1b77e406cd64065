//! A command as the `exec` step and the `exec` condition write it: what to run where, and what to
//! expect of it.

mod expect;

pub(crate) use self::expect::MAPS;

use self::expect::Expect;
use crate::context::Context;
use crate::load::{EXEC, Fields, Key, Reader, Targets, Value};
use crate::model::Text;
use crate::port::{ExecOutput, ExecRequest, PortResult};
use crate::words::first_line;
use placemat_spec::selector::Target;
use std::time::Duration;

/// What to run, where.
#[derive(Debug)]
pub(crate) struct Command {
    at: Targets,
    argv: Vec<Text>,
    env: Vec<(String, Text)>,
    stdin: Text,
    expect: Expect,
}

impl Command {
    /// Keys of a command.
    pub(crate) const KEYS: &[Key] = &[
        Key::required(
            "at",
            "SELECTOR",
            "where: routers, boot servers, servers, hub",
        ),
        Key::optional("argv", "[TEXT]", "program and arguments; this or `run`"),
        Key::optional(
            "run",
            "SHELL TEXT",
            "for `sh -c`, never substituted: values go by `env`",
        ),
        Key::optional("env", "{NAME: TEXT}", "environment"),
        Key::optional("stdin", "TEXT", "standard input"),
        Key::optional(
            "expect",
            "{exit, stdout, stderr}",
            "how it must end; default `exit: 0`",
        ),
    ];

    /// Reads the command out of fields that were checked against [`Self::KEYS`] (or more).
    pub(crate) fn parse(
        reader: &mut Reader<'_>,
        value: &Value<'_>,
        fields: &Fields<'_>,
    ) -> Option<Self> {
        let at = reader.targets(fields.get("at"), EXEC);
        let argv = match (fields.get("argv"), fields.get("run")) {
            (Some(argv), None) => reader.texts(argv),
            (None, Some(run)) => reader.verbatim(run).map(|script| {
                let shell = ["sh", "-c"].map(Text::literal);
                shell.into_iter().chain([Text::literal(script)]).collect()
            }),
            (Some(_), Some(run)) => {
                reader.problem(
                    "two-commands",
                    "`exec` has both `argv` and `run`".to_owned(),
                    run.place,
                    "second command".to_owned(),
                    Some("write one of them, or two steps".to_owned()),
                );
                None
            }
            (None, None) => {
                reader.problem(
                    "missing-key",
                    "`exec` has nothing to run".to_owned(),
                    value.place,
                    "here".to_owned(),
                    Some("give `argv: [program, argument]`, or `run:` with shell text".to_owned()),
                );
                None
            }
        };
        let env = reader.pairs(fields.get("env"));
        let stdin = reader.optional(fields.get("stdin"), Reader::runtime_text);
        let expect = match fields.get("expect") {
            Some(expect) => Expect::parse(reader, expect),
            None => Some(Expect::default()),
        };
        Some(Self {
            at: at?,
            argv: argv?,
            env: env?,
            stdin: stdin?.unwrap_or_default(),
            expect: expect?,
        })
    }

    /// Runs it at every target, each for at most `time`.
    pub(crate) async fn run(
        &self,
        cx: &Context,
        time: Duration,
    ) -> Vec<(Target, Result<ExecOutput, String>)> {
        let mut refused = Vec::new();
        let mut requests = Vec::new();
        for target in self.at.iter() {
            match self.request(cx, target) {
                Ok(request) => requests.push((target.clone(), request)),
                Err(why) => refused.push((target.clone(), Err(why))),
            }
        }
        let targets: Vec<Target> = requests.iter().map(|(target, _)| target.clone()).collect();
        let answers: Vec<(Target, PortResult<ExecOutput>)> = cx
            .each_within(&targets, time, |port, target| {
                let request = requests
                    .iter()
                    .find(|(at, _)| *at == target)
                    .map(|(_, r)| r.clone());
                async move { port.exec(&target, request.unwrap_or_default()).await }
            })
            .await;
        refused.extend(
            answers
                .into_iter()
                .map(|(at, a)| (at, a.map_err(|e| e.to_string()))),
        );
        refused
    }

    fn request(&self, cx: &Context, at: &Target) -> Result<ExecRequest, String> {
        let argv = self
            .argv
            .iter()
            .map(|text| cx.text(text, at))
            .collect::<Result<_, _>>()?;
        let env = self
            .env
            .iter()
            .map(|(name, text)| Ok((name.clone(), cx.text(text, at)?)))
            .collect::<Result<_, String>>()?;
        Ok(ExecRequest {
            argv,
            env,
            stdin: cx.text(&self.stdin, at)?.into_bytes(),
        })
    }

    /// Whether the output is as expected; if not, why.
    pub(crate) fn judge(
        &self,
        cx: &Context,
        at: &Target,
        output: &ExecOutput,
    ) -> Result<(), String> {
        self.expect.judge(cx, at, output)
    }

    /// What is expected, in words.
    pub(crate) fn expected(&self) -> String {
        self.expect.expected()
    }

    /// In words: `ipmitool -I lanplus ... at hub`.
    pub(crate) fn describe(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        let shell = self.argv.first() == Some(&Text::literal("sh"));
        let shown = if shell {
            self.argv.get(2..).unwrap_or_default()
        } else {
            &self.argv[..]
        };
        for text in shown {
            words.push(
                text.0
                    .iter()
                    .map(|part| match part {
                        crate::model::TextPart::Literal(text) => text.clone(),
                        crate::model::TextPart::Output { id, name } => format!("$({id}.{name})"),
                    })
                    .collect(),
            );
        }
        let line = first_line(&words.join(" "));
        let cut: String = line.chars().take(60).collect();
        let dots = if cut.len() < line.len() { "..." } else { "" };
        format!("{cut}{dots} at {}", self.at)
    }
}
