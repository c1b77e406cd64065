//! What a command is expected to end with: exit code, and what it prints.

use crate::context::Context;
use crate::load::{Key, Reader, Value};
use crate::model::Text;
use crate::port::ExecOutput;
use crate::words::first_line;
use placemat_spec::selector::Target;

/// What a command is to end with.
#[derive(Debug)]
pub(super) struct Expect {
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

/// Maps of what is expected, by the form that they have in rows.
pub(crate) const MAPS: &[(&str, &[Key])] = &[
    ("{exit, stdout, stderr}", EXPECT_KEYS),
    ("{contains, lacks, equals, json}", MATCHER_KEYS),
];

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
    /// Whether the output is as expected; if not, why.
    pub(super) fn judge(
        &self,
        cx: &Context,
        at: &Target,
        output: &ExecOutput,
    ) -> Result<(), String> {
        let exit_ok = match self.exit {
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
            ("stdout", &self.stdout, &output.stdout),
            ("stderr", &self.stderr, &output.stderr),
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
    pub(super) fn expected(&self) -> String {
        let mut words = vec![match self.exit {
            Exit::Code(code) => format!("exit {code}"),
            Exit::Nonzero => "a nonzero exit".to_owned(),
            Exit::Any => "any exit".to_owned(),
        }];
        if !self.stdout.is_empty() || !self.stderr.is_empty() {
            words.push("the output asked for".to_owned());
        }
        words.join(" and ")
    }

    pub(super) fn parse(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Self> {
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
