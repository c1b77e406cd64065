//! Text -> trees, through granit-parser's events. The only module that knows a YAML crate.

use super::Document;
use super::dialect::Dialect;
use super::tree::{Entry, Map, Scalar, Tree, Value};
use crate::Place;
use crate::problem::{Findings, Problem, suggestion};
use granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};
use std::collections::HashMap;

/// Deepest nesting of maps and lists, aliases expanded.
const DEPTH: usize = 100;
/// Most nodes that aliases of one document may expand to. A long scalar counts as several.
const ALIASED_NODES: usize = 200_000;
/// Bytes of a scalar that count as one node more.
const NODE_BYTES: usize = 100;

/// Parses one source into `documents`, going on at the next document after an error.
pub(super) fn parse(source: usize, text: &str, findings: &Findings, documents: &mut Vec<Document>) {
    let mut options = granit_parser::options! {
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
        flow_nesting_limit: DEPTH,
        block_nesting_limit: DEPTH,
    };
    options.set_emit_comments(false);
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder::new(source, text, findings);
    loop {
        let failed = match parser.next_event() {
            None | Some(Ok((Event::StreamEnd, _))) => return,
            Some(Ok((Event::DocumentStart(..), _))) => {
                builder = Builder::new(source, text, findings);
                false
            }
            Some(Ok((Event::DocumentEnd, _))) => {
                documents.extend(
                    builder
                        .root
                        .take()
                        .filter(|root| !root.is_null())
                        .map(|root| Document { root }),
                );
                false
            }
            Some(Ok((event, span))) => builder.event(event, &span).is_err(),
            Some(Err(error)) => {
                findings.error(builder.syntax(&error));
                true
            }
        };
        if failed && !matches!(parser.proceed_next_document(), Ok(true)) {
            return;
        }
    }
}

/// The rest of the document is not worth reading; the reason is reported.
struct Abandoned;

/// A map or list that is not closed yet.
struct Open {
    place: Place,
    anchor: usize,
    /// Depth of the deepest thing below, aliases included.
    depth: usize,
    nodes: usize,
    what: OpenKind,
}

enum OpenKind {
    List(Vec<Tree>),
    /// `None` for the key: the next node is a key. A key without name was bad and is reported.
    Map {
        map: Map,
        key: Option<(Option<String>, Place)>,
        merges: Vec<Tree>,
    },
}

/// A finished anchored node, kept for aliases.
struct Anchored {
    tree: Tree,
    nodes: usize,
    depth: usize,
}

/// Builds the tree of one document.
struct Builder<'a> {
    source: usize,
    text: &'a str,
    findings: &'a Findings,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    names: Vec<String>,
    aliased: usize,
    root: Option<Tree>,
}

impl<'a> Builder<'a> {
    fn new(source: usize, text: &'a str, findings: &'a Findings) -> Self {
        Self {
            source,
            text,
            findings,
            open: Vec::new(),
            anchors: HashMap::new(),
            names: Vec::new(),
            aliased: 0,
            root: None,
        }
    }

    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Abandoned> {
        let place = self.place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tagged = self.tag(tag.as_deref(), span);
                let plain = style == ScalarStyle::Plain && tagged != Some("str");
                let nodes = 1 + text.len() / NODE_BYTES;
                let value = Value::Scalar(Scalar {
                    text: text.into_owned(),
                    plain,
                });
                self.node(Tree { value, place }, anchor, nodes, 0);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), span);
                self.start(place, anchor, OpenKind::List(Vec::new()))?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), span);
                let what = OpenKind::Map {
                    map: Map::new(),
                    key: None,
                    merges: Vec::new(),
                };
                self.start(place, anchor, what)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Anchor(_, name) => self.names.push(name.into_owned()),
            Event::Alias(id) => self.alias(id, place)?,
            Event::UnresolvedAlias(name) => {
                let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
                self.findings.error(
                    Problem::new(
                        "unknown-alias",
                        format!("no anchor `&{name}` stands before this alias"),
                    )
                    .at(place, "refers to nothing")
                    .help(suggestion(
                        &name,
                        "anchors so far in this document:",
                        &names,
                    )),
                );
                let value = Value::Scalar(Scalar {
                    text: String::new(),
                    plain: true,
                });
                self.node(Tree { value, place }, 0, 1, 0);
            }
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, place: Place, anchor: usize, what: OpenKind) -> Result<(), Abandoned> {
        if self.open.len() >= DEPTH {
            return Err(self.too_deep(place));
        }
        self.open.push(Open {
            place,
            anchor,
            depth: 0,
            nodes: 1,
            what,
        });
        Ok(())
    }

    fn end(&mut self, span: &Span) {
        let Some(open) = self.open.pop() else { return };
        let mut place = open.place;
        let value = match open.what {
            OpenKind::List(list) => Value::List(list),
            OpenKind::Map {
                mut map, merges, ..
            } => {
                for merge in merges {
                    self.merge(&mut map, merge);
                }
                Value::Map(map)
            }
        };
        // A flow map or list is worth underlining whole; a block one at its beginning.
        if place.len > 0 && self.text[place.offset..].starts_with(['[', '{']) {
            place.len = span
                .byte_range()
                .map_or(place.len, |range| range.end.saturating_sub(place.offset));
        } else if let (Value::Map(map), 0) = (&value, place.len) {
            place.len = map.first().map_or(1, |(_, entry)| entry.key_place.len);
        }
        self.node(Tree { value, place }, open.anchor, open.nodes, open.depth);
    }

    fn alias(&mut self, id: usize, place: Place) -> Result<(), Abandoned> {
        let Some(anchored) = self.anchors.get(&id) else {
            // An alias inside its own anchor: the anchor is not finished.
            self.findings.error(
                Problem::new(
                    "recursive-alias",
                    "an alias cannot stand inside what it refers to",
                )
                .at(place, "would never end"),
            );
            return Err(Abandoned);
        };
        self.aliased += anchored.nodes;
        if self.aliased > ALIASED_NODES {
            self.findings.error(
                Problem::new(
                    "alias-bomb",
                    format!(
                        "the aliases of this document expand to more than {ALIASED_NODES} values, or {} MB of text",
                        ALIASED_NODES * NODE_BYTES / 1_000_000
                    ),
                )
                .at(place, "this one passes the limit")
                .help("write out what is repeated, or repeat less of it"),
            );
            return Err(Abandoned);
        }
        if self.open.len() + anchored.depth > DEPTH {
            return Err(self.too_deep(place));
        }
        let (nodes, depth) = (anchored.nodes, anchored.depth);
        let tree = Tree {
            value: anchored.tree.value.clone(),
            place,
        };
        self.node(tree, 0, nodes, depth);
        Ok(())
    }

    /// Puts a finished node into what is open: as a key, a value, an element, or the root.
    fn node(&mut self, tree: Tree, anchor: usize, nodes: usize, depth: usize) {
        if anchor != 0 {
            self.anchors.insert(
                anchor,
                Anchored {
                    tree: tree.clone(),
                    nodes,
                    depth,
                },
            );
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(tree);
            return;
        };
        open.nodes += nodes;
        open.depth = open.depth.max(depth + 1);
        match &mut open.what {
            OpenKind::List(list) => list.push(tree),
            OpenKind::Map { map, key, merges } => match key.take() {
                None => *key = Some(key_of(tree, self.findings)),
                Some((None, _)) => {}
                Some((Some(name), _)) if name == "<<" => merges.push(tree),
                Some((Some(name), key_place)) => match map.entry(name) {
                    indexmap::map::Entry::Vacant(vacant) => {
                        vacant.insert(Entry { key_place, tree });
                    }
                    indexmap::map::Entry::Occupied(mut first) => {
                        let problem = Problem::new(
                            "duplicate-key",
                            format!("the key `{}` is given twice", first.key()),
                        )
                        .at(key_place, "given again here")
                        .at(first.get().key_place, "first given here");
                        match self.findings.dialect() {
                            Dialect::Strict => {
                                self.findings.error(problem.help("keep one of the two"));
                            }
                            Dialect::V2 => {
                                let help =
                                    "the last one counts, as in placemat v2; keep one of the two";
                                self.findings.warning(problem.help(help));
                                first.insert(Entry { key_place, tree });
                            }
                        }
                    }
                },
            },
        }
    }

    /// `<<: *x` or `<<: [*x, *y]`: what the map does not say itself, earlier ones first.
    fn merge(&self, map: &mut Map, tree: Tree) {
        match tree.value {
            Value::Map(other) => {
                for (name, entry) in other {
                    map.entry(name).or_insert(entry);
                }
            }
            Value::List(list) => list.into_iter().for_each(|tree| self.merge(map, tree)),
            Value::Scalar(_) => self.findings.error(
                Problem::new(
                    "bad-merge",
                    format!("a merge key `<<` takes maps, not {}", tree.kind()),
                )
                .at(tree.place, "cannot be merged"),
            ),
        }
    }

    /// The suffix of a core tag; any other tag is an error.
    fn tag<'t>(&self, tag: Option<&'t Tag>, span: &Span) -> Option<&'t str> {
        let tag = tag?;
        let suffix = tag.core_suffix();
        if suffix.is_none() && tag.original() != "!" {
            let place = span
                .tag_span()
                .map_or_else(|| self.place(span), |span| self.place(&span));
            self.findings.error(
                Problem::new(
                    "unknown-tag",
                    format!("the YAML tag `{}` means nothing here", tag.original()),
                )
                .at(place, "remove it"),
            );
        }
        if tag.original() == "!" {
            Some("str")
        } else {
            suffix
        }
    }

    fn too_deep(&self, place: Place) -> Abandoned {
        self.findings.error(deep(place));
        Abandoned
    }

    fn syntax(&self, error: &ScanError) -> Problem {
        let place = self.mark(error.marker(), 1);
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            return deep(place);
        }
        let problem = Problem::new("yaml", "not valid YAML").at(place, error.info());
        let mut problem = match self.open.last() {
            Some(open) if open.place.line != place.line => {
                let what = if matches!(open.what, OpenKind::List(_)) {
                    "list"
                } else {
                    "map"
                };
                problem.at(
                    open.place,
                    format!("while reading the {what} that begins here"),
                )
            }
            _ => problem,
        };
        problem.help = hint(error.kind()).map(str::to_owned);
        problem
    }

    fn place(&self, span: &Span) -> Place {
        let len = span.byte_range().map_or(0, |range| range.len());
        self.mark(&span.start, len)
    }

    fn mark(&self, mark: &Marker, len: usize) -> Place {
        let offset = mark.byte_offset().unwrap_or_default().min(self.text.len());
        Place {
            source: self.source,
            line: u32::try_from(mark.line()).unwrap_or(u32::MAX).max(1),
            column: u32::try_from(mark.col())
                .unwrap_or(u32::MAX)
                .saturating_add(1),
            offset,
            len,
        }
    }
}

fn deep(place: Place) -> Problem {
    Problem::new("too-deep", format!("nested deeper than {DEPTH} levels"))
        .at(place, "one level too many")
        .help("no data center is described so deep: is a bracket not closed?")
}

fn key_of(tree: Tree, findings: &Findings) -> (Option<String>, Place) {
    if let Value::Scalar(scalar) = tree.value {
        return (Some(scalar.text), tree.place);
    }
    findings.error(
        Problem::new("bad-key", format!("a key must be a word, not {}", tree.kind()))
            .at(tree.place, "cannot be a key")
            .help("text in braces or brackets is a map or a list in YAML: quote it if it is meant as text"),
    );
    (None, tree.place)
}

/// What the usual reasons for a syntax error are.
fn hint(kind: &ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => "YAML is indented with spaces: replace the tab",
        ErrorKind::MappingValueNotAllowed => {
            "text with `: ` in it must be quoted; keys of one map must stand in one column"
        }
        ErrorKind::InvalidIndentation | ErrorKind::ExpectedBlockMappingKey => {
            "the keys of one map must stand in one column"
        }
        ErrorKind::ExpectedBlockSequenceEntry => "the `-` of one list must stand in one column",
        ErrorKind::UnclosedFlowCollection { open: '{' }
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::UnexpectedEofFlowMapping => {
            "close the map with `}`, and put `,` between its entries"
        }
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::UnexpectedEofFlowSequence => {
            "close the list with `]`, and put `,` between its elements"
        }
        ErrorKind::UnclosedQuotedScalar => "close the quote",
        ErrorKind::SimpleKeyExpected => "a key is followed by `: ` and a value",
        ErrorKind::UnexpectedCharacter { .. } => {
            "text that begins with this character must be quoted"
        }
        _ => return None,
    })
}
