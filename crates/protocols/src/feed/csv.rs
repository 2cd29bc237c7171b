//! Rows in CSV: a header row with the names, then one row per line, as RFC 4180 has it.
//!
//! Fields are separated by commas or by semicolons, whichever the header row has. Quoted fields may
//! hold separators, line breaks, and quotation marks written twice. Empty lines are passed over.

use super::row::{Field, Malformed, ROWS_MAX, Row, Written};

/// How many columns there may be; there are names for fewer.
const COLUMNS_MAX: usize = 32;

/// Reads the rows of a body.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, Malformed> {
    let mut reader = Reader { text, at: 0, separator: separator(text) };
    let header = reader.record()?.ok_or(Malformed::new(0, "a header row is expected"))?;
    let mut rows = Vec::new();
    while let Some(record) = reader.record()? {
        let at = record.first().map_or(reader.at, |cell| cell.at);
        if record.len() != header.len() {
            return Err(Malformed::new(at, "the row has not as many fields as the header row"));
        }
        if rows.len() >= ROWS_MAX {
            return Err(Malformed::new(at, "there are more than 1000 rows"));
        }
        let field = |(name, cell): (&Cell, Cell)| Field {
            name: name.text.clone(),
            name_at: name.at,
            value: cell.text,
            value_at: cell.at,
            written: Written::Text,
        };
        rows.push(Row { at, fields: header.iter().zip(record).map(field).collect() });
    }
    Ok(rows)
}

fn separator(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.is_empty()).unwrap_or_default();
    if header.contains(';') { b';' } else { b',' }
}

struct Cell {
    at: usize,
    text: String,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    separator: u8,
}

impl Reader<'_> {
    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes the end of a line, if it comes next.
    fn end_of_line(&mut self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
        self.at = self.at.saturating_add(length);
        length > 0
    }

    /// The fields of the next line that is not empty; none at the end.
    fn record(&mut self) -> Result<Option<Vec<Cell>>, Malformed> {
        while self.end_of_line() {}
        if self.next().is_none() {
            return Ok(None);
        }
        let mut cells = Vec::new();
        loop {
            if cells.len() >= COLUMNS_MAX {
                return Err(Malformed::new(self.at, "there are too many columns"));
            }
            let at = self.at;
            let text = if self.next() == Some(b'"') { self.quoted()? } else { self.bare()? };
            cells.push(Cell { at, text });
            if self.next() == Some(self.separator) {
                self.at = self.at.saturating_add(1);
            } else if self.next().is_none() || self.end_of_line() {
                return Ok(Some(cells));
            } else {
                return Err(Malformed::new(
                    self.at,
                    "a separator or the end of the line is expected",
                ));
            }
        }
    }

    fn bare(&mut self) -> Result<String, Malformed> {
        let start = self.at;
        while let Some(byte) = self.next() {
            match byte {
                b'\n' | b'\r' => break,
                b'"' => {
                    let reason = "a quotation mark stands in a field that does not begin with one";
                    return Err(Malformed::new(self.at, reason));
                }
                _ if byte == self.separator => break,
                _ => self.at = self.at.saturating_add(1),
            }
        }
        Ok(self.text.get(start..self.at).unwrap_or_default().to_owned())
    }

    fn quoted(&mut self) -> Result<String, Malformed> {
        let start = self.at;
        let mut text = String::new();
        loop {
            // Behind the mark that opens the field, or behind one that was written twice.
            let from = self.at.saturating_add(1);
            let rest = self.text.get(from..).unwrap_or_default();
            let length = rest.find('"').ok_or(Malformed::new(start, "the field has no end"))?;
            text.push_str(rest.get(..length).unwrap_or_default());
            self.at = from.saturating_add(length).saturating_add(1);
            if self.next() != Some(b'"') {
                return Ok(text);
            }
            text.push('"');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(body: &str) -> Vec<Vec<(String, String)>> {
        let rows = rows(body).expect("well-formed");
        let row = |row: Row| row.fields.into_iter().map(|it| (it.name, it.value)).collect();
        rows.into_iter().map(row).collect()
    }

    #[test]
    fn both_separators_and_both_line_ends_are_read() {
        for body in [
            "at,amount\n1,2\n3,4\n",
            "at;amount\r\n1;2\r\n3;4",
            "\n\"at\",\"amount\"\n\n1,\"2\"\n\r\n3,4\n\n",
        ] {
            let expected = [["1", "2"], ["3", "4"]].map(|[at, amount]| {
                vec![("at".to_owned(), at.to_owned()), ("amount".to_owned(), amount.to_owned())]
            });
            assert_eq!(table(body), expected, "{body:?}");
        }
        assert_eq!(table("at,amount"), Vec::<Vec<_>>::new());
        let quoted = table("a;b\n\"x;\"\"y\"\"\r\nz\";\n");
        assert_eq!(quoted[0][0].1, "x;\"y\"\r\nz");
        assert_eq!(quoted[0][1].1, "");
    }

    #[test]
    fn a_fault_has_a_place() {
        let table = [
            ("", 1, 1),
            ("\r\n\n", 1, 1),
            ("a,b\n1\n", 2, 1),
            ("a,b\n1,2,3\n", 2, 1),
            ("a,b\n1,2\n;\n", 3, 1),
            ("a,b\n1,x\"y\n", 2, 4),
            ("a,b\n1,\"x\"y\n", 2, 6),
            ("a,b\n1,\"x\n\n", 2, 3),
            ("a,b\n1,2\r3,4\n", 2, 4),
        ];
        for (body, line, column) in table {
            let fault = rows(body).expect_err(body);
            assert_eq!(fault.place(body), (line, column), "{body:?}: {}", fault.reason);
        }
    }

    #[test]
    fn rows_and_columns_are_counted() {
        let body = |count: usize| format!("a\n{}", "1\n".repeat(count));
        assert_eq!(rows(&body(ROWS_MAX)).map(|rows| rows.len()), Ok(ROWS_MAX));
        assert!(rows(&body(ROWS_MAX + 1)).is_err());
        assert!(rows(&"a,".repeat(COLUMNS_MAX)).is_err());
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read_as_it_was(values in prop::collection::vec(any::<String>(), 2..6)) {
            let names: Vec<_> = (0..values.len()).map(|it| format!("n{it}")).collect();
            let quoted = |text: &String| format!("\"{}\"", text.replace('"', "\"\""));
            let cells: Vec<_> = values.iter().map(quoted).collect();
            for separator in [",", ";"] {
                let body = format!("{}\n{}\n", names.join(separator), cells.join(separator));
                let read: Vec<_> = table(&body)[0].iter().map(|(_, value)| value.clone()).collect();
                prop_assert_eq!(&read, &values);
            }
        }

        #[test]
        fn no_text_is_too_strange(body in "[a,;\"\r\né]{0,30}") {
            let _ = rows(&body);
        }
    }
}
