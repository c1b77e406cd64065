//! A command as the `exec` step and the `exec` condition write it: what to run where, and what to
//! expect of it.

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

/// What a command is to end with.
#[derive(Debug)]
struct Expect {
    exit: Exit,
    stdout: Vec<Matcher>,
    stderr: Vec<Matcher>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Code(i32),
    Nonzero,
    Any,
}

#[derive(Debug)]
enum Matcher {
    Contains(Text),
    Lacks(Text),
    Equals(Text),
    /// A value of JSON output, by pointer (RFC 6901), as text.
    Json(String, Text),
}

const MATCHER_KEYS: &[Key] = &[
    Key::optional("contains", "TEXT | [TEXT]", "each text is in it"),
    Key::optional("lacks", "TEXT | [TEXT]", "none of the texts is in it"),
    Key::optional("equals", "TEXT", "it is this, blanks at both ends aside"),
    Key::optional(
        "json",
        "{POINTER: VALUE}",
        "it is JSON with these values, `/PowerState: On`",
    ),
];

const EXPECT_KEYS: &[Key] = &[
    Key::optional("exit", "NUMBER | nonzero | any", "exit code; default 0"),
    Key::optional(
        "stdout",
        "{contains, lacks, equals, json}",
        "what it prints",
    ),
    Key::optional(
        "stderr",
        "{contains, lacks, equals, json}",
        "what it prints as errors",
    ),
];

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
        let exit_ok = match self.expect.exit {
            Exit::Code(code) => output.exit == code,
            Exit::Nonzero => output.exit != 0,
            Exit::Any => true,
        };
        if !exit_ok {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let stdout = String::from_utf8_lossy(&output.stdout);
            let words = if stderr.trim().is_empty() {
                stdout
            } else {
                stderr
            };
            let words = first_line(&words);
            let words = if words.is_empty() {
                "no output".to_owned()
            } else {
                words
            };
            return Err(format!("exit {}: {words}", output.exit));
        }
        let streams = [
            ("stdout", &self.expect.stdout, &output.stdout),
            ("stderr", &self.expect.stderr, &output.stderr),
        ];
        for (stream, matchers, bytes) in streams {
            let text = String::from_utf8_lossy(bytes);
            for matcher in matchers {
                matcher
                    .judge(cx, at, &text)
                    .map_err(|why| format!("{stream} {why}"))?;
            }
        }
        Ok(())
    }

    /// What is expected, in words.
    pub(crate) fn expected(&self) -> String {
        let mut words = vec![match self.expect.exit {
            Exit::Code(code) => format!("exit {code}"),
            Exit::Nonzero => "a nonzero exit".to_owned(),
            Exit::Any => "any exit".to_owned(),
        }];
        if !self.expect.stdout.is_empty() || !self.expect.stderr.is_empty() {
            words.push("the output asked for".to_owned());
        }
        words.join(" and ")
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

impl Default for Expect {
    fn default() -> Self {
        Self {
            exit: Exit::Code(0),
            stdout: Vec::new(),
            stderr: Vec::new(),
        }
    }
}

impl Expect {
    fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Self> {
        let fields = reader.fields(value, "expect", EXPECT_KEYS)?;
        let exit = match fields.get("exit") {
            None => Some(Exit::Code(0)),
            Some(exit) => exit_of(reader, exit),
        };
        let stdout = matchers(reader, fields.get("stdout"), "stdout");
        let stderr = matchers(reader, fields.get("stderr"), "stderr");
        Some(Self {
            exit: exit?,
            stdout: stdout?,
            stderr: stderr?,
        })
    }
}

fn exit_of(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Exit> {
    let text = reader.text(value)?;
    match text.as_str() {
        "nonzero" => Some(Exit::Nonzero),
        "any" => Some(Exit::Any),
        number => {
            let code = number
                .parse::<i32>()
                .ok()
                .filter(|code| (0..=255).contains(code));
            if code.is_none() {
                reader.problem(
                    "bad-exit",
                    format!("`{text}` is not an exit code"),
                    value.place,
                    "expected 0 to 255, `nonzero` or `any`".to_owned(),
                    None,
                );
            }
            code.map(Exit::Code)
        }
    }
}

fn matchers(
    reader: &mut Reader<'_>,
    value: Option<&Value<'_>>,
    stream: &str,
) -> Option<Vec<Matcher>> {
    let Some(value) = value else {
        return Some(Vec::new());
    };
    let fields = reader.fields(value, stream, MATCHER_KEYS)?;
    let contains = reader.optional(fields.get("contains"), Reader::texts);
    let lacks = reader.optional(fields.get("lacks"), Reader::texts);
    let equals = reader.optional(fields.get("equals"), Reader::runtime_text);
    let json = reader.pairs(fields.get("json"));
    let mut all: Vec<Matcher> = Vec::new();
    all.extend(
        contains?
            .unwrap_or_default()
            .into_iter()
            .map(Matcher::Contains),
    );
    all.extend(lacks?.unwrap_or_default().into_iter().map(Matcher::Lacks));
    all.extend(equals?.map(Matcher::Equals));
    all.extend(
        json?
            .into_iter()
            .map(|(pointer, text)| Matcher::Json(pointer, text)),
    );
    Some(all)
}

impl Matcher {
    fn judge(&self, cx: &Context, at: &Target, text: &str) -> Result<(), String> {
        let trimmed = text.trim();
        let shown = || first_line(trimmed);
        match self {
            Self::Contains(wanted) => {
                let wanted = cx.text(wanted, at)?;
                if !text.contains(&wanted) {
                    return Err(format!(
                        "is `{}`, which does not contain `{wanted}`",
                        shown()
                    ));
                }
            }
            Self::Lacks(unwanted) => {
                let unwanted = cx.text(unwanted, at)?;
                if text.contains(&unwanted) {
                    return Err(format!("contains `{unwanted}`"));
                }
            }
            Self::Equals(wanted) => {
                let wanted = cx.text(wanted, at)?;
                if trimmed != wanted.trim() {
                    return Err(format!("is `{}`, not `{}`", shown(), wanted.trim()));
                }
            }
            Self::Json(pointer, wanted) => {
                let wanted = cx.text(wanted, at)?;
                let json: serde_json::Value = serde_json::from_str(trimmed)
                    .map_err(|error| format!("is `{}`, not JSON ({error})", shown()))?;
                let found = json
                    .pointer(pointer)
                    .ok_or_else(|| format!("has no `{pointer}`: `{}`", shown()))?;
                let found = match found {
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                if found != wanted {
                    return Err(format!("has `{pointer}` {found}, not {wanted}"));
                }
            }
        }
        Ok(())
    }
}
