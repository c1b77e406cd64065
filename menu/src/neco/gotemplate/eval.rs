//! Nodes and data to text.

use super::function::{self, Function};
use super::parse::{Base, Command, Node, Operand, Pipeline};
use super::{Error, Value};
use placemat_spec::problem::suggestion;

/// Longest text that a template may make, in bytes.
const LONGEST: usize = 4 << 20;

/// What a template sees where it stands.
struct Scope<'a> {
    root: &'a Value,
    variables: Vec<(String, Value)>,
    out: String,
}

pub(super) fn render(nodes: &[Node], data: &Value) -> Result<String, Error> {
    let mut scope = Scope {
        root: data,
        variables: Vec::new(),
        out: String::new(),
    };
    scope.nodes(nodes, data)?;
    Ok(scope.out)
}

impl Scope<'_> {
    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<(), Error> {
        nodes.iter().try_for_each(|node| self.node(node, dot))
    }

    /// A block: variables declared in it are gone after it.
    fn block(
        &mut self,
        nodes: &[Node],
        dot: &Value,
        variables: Vec<(String, Value)>,
    ) -> Result<(), Error> {
        let before = self.variables.len();
        self.variables.extend(variables);
        let done = self.nodes(nodes, dot);
        self.variables.truncate(before);
        done
    }

    /// Adds the text of a value.
    fn print(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<(), Error> {
        let value = self.pipeline(pipeline, dot)?;
        let text = value.print().ok_or_else(|| {
            let label = format!("{} has no text", value.kind());
            Error::new(pipeline.range.clone(), "this cannot be printed", label)
                .help("print one of its fields")
        })?;
        if self.out.len() + text.len() > LONGEST {
            let message = format!("the seed is longer than {} MiB", LONGEST >> 20);
            return Err(Error::new(pipeline.range.clone(), message, "too long here"));
        }
        self.out.push_str(&text);
        Ok(())
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<(), Error> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Print(pipeline) => self.print(pipeline, dot)?,
            Node::Assign {
                name,
                declares,
                value,
                range,
            } => {
                let value = self.pipeline(value, dot)?;
                if *declares {
                    self.variables.push((name.clone(), value));
                } else {
                    let known = self
                        .variables
                        .iter_mut()
                        .rev()
                        .find(|(known, _)| known == name);
                    let Some((_, place)) = known else {
                        let message = format!("there is no variable `${name}`");
                        return Err(Error::new(range.clone(), message, "unknown variable")
                            .help("`:=` declares one"));
                    };
                    *place = value;
                }
            }
            Node::If {
                condition,
                then,
                other,
            } => {
                let branch = if self.pipeline(condition, dot)?.truth() {
                    then
                } else {
                    other
                };
                self.block(branch, dot, Vec::new())?;
            }
            Node::With {
                variable,
                value,
                then,
                other,
            } => {
                let value = self.pipeline(value, dot)?;
                let named = variable
                    .iter()
                    .map(|name| (name.clone(), value.clone()))
                    .collect();
                if value.truth() {
                    self.block(then, &value, named)?;
                } else {
                    self.block(other, dot, named)?;
                }
            }
            Node::Range {
                variables,
                list,
                body,
                other,
            } => {
                let items = match self.pipeline(list, dot)? {
                    Value::List(items) => items,
                    Value::Nil => Vec::new(),
                    value => {
                        let label = format!("this is {}", value.kind());
                        return Err(Error::new(
                            list.range.clone(),
                            "`range` goes over lists",
                            label,
                        ));
                    }
                };
                if items.is_empty() {
                    return self.block(other, dot, Vec::new());
                }
                for (index, item) in items.iter().enumerate() {
                    let number = Value::Number(i64::try_from(index).unwrap_or(i64::MAX));
                    let named = match variables.as_slice() {
                        [index, element] => {
                            vec![(index.clone(), number), (element.clone(), item.clone())]
                        }
                        [element] => vec![(element.clone(), item.clone())],
                        _ => Vec::new(),
                    };
                    self.block(body, item, named)?;
                }
            }
        }
        Ok(())
    }

    fn pipeline(&self, pipeline: &Pipeline, dot: &Value) -> Result<Value, Error> {
        let mut last: Option<Value> = None;
        for command in &pipeline.commands {
            last = Some(match command {
                Command::Operand(operand) => self.operand(operand, dot)?,
                Command::Call(function, arguments, range) => {
                    let values = self.arguments(function, arguments, last, dot)?;
                    function::call(function, &values).map_err(|error| error.at(range.clone()))?
                }
            });
        }
        Ok(last.unwrap_or(Value::Nil))
    }

    /// Values of arguments, and of what is handed on by a pipe, as far as they count: `and` and `or`
    /// stop where the result is settled, as Go does since 1.18.
    fn arguments(
        &self,
        function: &Function,
        arguments: &[Operand],
        piped: Option<Value>,
        dot: &Value,
    ) -> Result<Vec<Value>, Error> {
        let mut values = Vec::new();
        for argument in arguments {
            let value = self.operand(argument, dot)?;
            let settled = function.settled_by(&value);
            values.push(value);
            if settled {
                return Ok(values);
            }
        }
        values.extend(piped);
        Ok(values)
    }

    fn operand(&self, operand: &Operand, dot: &Value) -> Result<Value, Error> {
        let mut value = match &operand.base {
            Base::Dot => dot.clone(),
            Base::Variable(name) if name.is_empty() => self.root.clone(),
            Base::Variable(name) => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                let (_, value) = found.ok_or_else(|| {
                    let message = format!("there is no variable `${name}`");
                    Error::new(operand.range.clone(), message, "unknown variable")
                })?;
                value.clone()
            }
            Base::Literal(value) => value.clone(),
            Base::Group(pipeline) => self.pipeline(pipeline, dot)?,
        };
        for (name, range) in &operand.fields {
            value = field(value, name, range)?;
        }
        Ok(value)
    }
}

fn field(value: Value, name: &str, range: &std::ops::Range<usize>) -> Result<Value, Error> {
    let Value::Record(what, fields) = value else {
        let message = format!("{} has no fields, so no `{name}`", value.kind());
        return Err(Error::new(range.clone(), message, "no such field"));
    };
    let known: Vec<&str> = fields.iter().map(|(known, _)| *known).collect();
    let help = suggestion(name, "there are", &known);
    let found = fields.into_iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| value).ok_or_else(|| {
        Error::new(
            range.clone(),
            format!("{what} has no `{name}`"),
            "no such field",
        )
        .help(help)
    })
}
