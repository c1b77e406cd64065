//! Tables for people: columns as wide as they have to be, two spaces between.

use std::fmt::Write as _;

/// A table with a heading.
#[derive(Debug)]
pub(crate) struct Table {
    indent: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(heading: &[&str]) -> Self {
        let heading = heading.iter().map(|&word| word.to_owned()).collect();
        Self {
            indent: 0,
            rows: vec![heading],
        }
    }

    /// The same, with spaces before every line.
    pub(crate) fn indent(mut self, columns: usize) -> Self {
        self.indent = columns;
        self
    }

    /// Adds a row. An empty cell shows as `-`.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        let cells = cells.into_iter().map(|cell| match cell.as_str() {
            "" => "-".to_owned(),
            _ => cell,
        });
        self.rows.push(cells.collect());
    }

    /// The text, with a line feed after every line.
    pub(crate) fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = " ".repeat(self.indent);
            for (cell, width) in row.iter().zip(&widths) {
                // Writing to a string does not fail.
                let _ = write!(line, "{cell:<width$}  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["NAME", "N"]).indent(2);
        table.row(["größer".into(), "1".into()]);
        table.row([String::new(), "22".into()]);
        assert_eq!(table.text(), "  NAME    N\n  größer  1\n  -       22\n");
    }
}
