//! Comma-separated values as RFC 4180 has them and as spreadsheets write them: with a byte order mark
//! or without, with commas or, where decimals take those, semicolons.
//!
//! Every cell knows where it stands, so that whoever finds fault with it can say so. Cells lose the
//! blanks around them; lines without anything are left out.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

/// Where something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The line of the file, from 1. A cell that spans several begins there.
    pub(super) line: usize,
    /// The cell within its row, from 1.
    pub(super) column: usize,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// Where it stands.
    pub(super) place: Place,
    /// What it says, without quotes.
    pub(super) text: String,
}

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where.
    pub(super) place: Place,
    /// What, in both languages.
    pub(super) what: String,
}

impl Fault {
    /// Something is wrong here.
    pub(super) fn new(place: Place, what: impl Into<String>) -> Self {
        Self { place, what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column } = self.place;
        write!(to, "baris · line {line}, kolom · column {column}: {}", self.what)
    }
}

/// The rows of a text that have anything in them.
pub(super) fn rows(text: &str) -> Result<Vec<Vec<Cell>>, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let separator = if first.contains(';') && !first.contains(',') { ';' } else { ',' };
    let mut reader = Reader { rest: text.chars().peekable(), separator, line: 1 };
    let mut rows = Vec::new();
    while reader.rest.peek().is_some() {
        let row = reader.row()?;
        if row.iter().any(|cell| !cell.text.is_empty()) {
            rows.push(row);
        }
    }
    Ok(rows)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    separator: char,
    line: usize,
}

impl Reader<'_> {
    fn row(&mut self) -> Result<Vec<Cell>, Fault> {
        let mut cells = Vec::new();
        loop {
            let place = Place { line: self.line, column: cells.len().saturating_add(1) };
            let text = self.cell(place)?.trim().to_owned();
            cells.push(Cell { place, text });
            match self.next() {
                Some(next) if next == self.separator => {}
                _ => return Ok(cells),
            }
        }
    }

    /// A cell up to what ends it.
    fn cell(&mut self, place: Place) -> Result<String, Fault> {
        if self.rest.next_if_eq(&'"').is_some() {
            return self.quoted(place);
        }
        let mut text = String::new();
        let separator = self.separator;
        while let Some(next) = self.rest.next_if(|&it| it != separator && it != '\n') {
            if next == '"' {
                let what =
                    "tanda kutip di tengah sel · a quote inside a cell that has none around it";
                return Err(Fault::new(place, what));
            }
            text.push(next);
        }
        Ok(text)
    }

    /// The rest of a cell whose opening quote was read.
    fn quoted(&mut self, place: Place) -> Result<String, Fault> {
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') if self.rest.next_if_eq(&'"').is_none() => break,
                Some(next) => text.push(next),
                None => {
                    let what = "tanda kutip tidak ditutup · the quote is never closed";
                    return Err(Fault::new(place, what));
                }
            }
        }
        while self.rest.next_if(|&it| it == ' ' || it == '\r').is_some() {}
        match self.rest.peek() {
            None | Some('\n') => Ok(text),
            Some(&next) if next == self.separator => Ok(text),
            Some(_) => {
                let what = "ada teks sesudah tanda kutip · there is text behind the closing quote";
                Err(Fault::new(place, what))
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        if next == Some('\n') {
            self.line = self.line.saturating_add(1);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<Vec<String>> {
        let rows = rows(text).expect("a sound file");
        rows.into_iter().map(|row| row.into_iter().map(|cell| cell.text).collect()).collect()
    }

    #[test]
    fn spreadsheets_are_read_as_they_write() {
        let expected = vec![vec!["a", "b c", ""], vec!["1", "x, \"y\"", "3"]];
        for text in [
            "a,b c,\n1,\"x, \"\"y\"\"\",3\n",
            "\u{feff}a,b c,\r\n1,\"x, \"\"y\"\"\",3\r\n",
            "a;b c;\n1;\"x, \"\"y\"\"\";3",
            "\n a , b c ,\n,,\n\n1,\"x, \"\"y\"\"\" , 3\n\n",
        ] {
            assert_eq!(texts(text), expected, "{text:?}");
        }
        assert_eq!(texts(""), Vec::<Vec<String>>::new());
    }

    #[test]
    fn cells_know_where_they_stand() {
        let rows = rows("a,b\n\n\"x\ny\",z\nq").expect("a sound file");
        let places: Vec<_> =
            rows.iter().flatten().map(|it| (it.place.line, it.place.column)).collect();
        assert_eq!(places, [(1, 1), (1, 2), (3, 1), (4, 2), (5, 1)]);
    }

    #[test]
    fn broken_quotes_are_told_where_they_are() {
        for (text, line, column, part) in [
            ("a,b\n1,\"x", 2, 2, "never closed"),
            ("a,b\n1,x\"y", 2, 2, "inside a cell"),
            ("a,b\n\"1\"x,2", 2, 1, "behind the closing quote"),
        ] {
            let fault = rows(text).expect_err("a broken file");
            assert_eq!(fault.place, Place { line, column }, "{text:?}");
            assert!(fault.to_string().contains(part), "{fault}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever a cell says, quoted it says it again.
        #[test]
        fn quoted_cells_come_back(cells in proptest::collection::vec("[ -~\n\ré]{1,8}", 1..5)) {
            let quoted: Vec<_> =
                cells.iter().map(|it| format!("\"{}\"", it.replace('"', "\"\""))).collect();
            let text = format!("a,b\n{}\n", quoted.join(","));
            let expected: Vec<_> = cells.iter().map(|it| it.trim().to_owned()).collect();
            let found = texts(&text).into_iter().nth(1);
            prop_assert_eq!(found.unwrap_or_else(|| vec![String::new(); cells.len()]), expected);
        }

        #[test]
        fn nothing_breaks_it(text in "[ -~\n\r\"é,;]{0,40}") {
            let _ = rows(&text);
        }
    }
}
