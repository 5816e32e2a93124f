//! Columns that line up, whatever the script.

use unicode_width::UnicodeWidthStr as _;

use super::text::pad;

/// Rows of cells; the last column is not filled.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table whose first row is its head.
    pub fn with_head(head: &[&str]) -> Self {
        let mut table = Self::default();
        table.row(head.iter().map(|cell| cell.to_uppercase()).collect());
        table
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The lines.
    pub fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.width()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| pad(cell, *width));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_with_hangul() {
        let mut table = Table::with_head(&["name", "state", "age"]);
        table.row(vec!["한국어-서버".into(), "held".into(), "2m".into()]);
        table.row(vec!["web".into(), "in work".into(), "3h".into()]);
        insta::assert_snapshot!(table.lines().join("\n"), @r"
        NAME         STATE    AGE
        한국어-서버  held     2m
        web          in work  3h
        ");
    }
}
