//! Rows in JSON: one object, a list of objects, or an object whose one member `mutations` is a list.
//!
//! Numbers keep their spelling instead of becoming floats, and every part keeps its place. Nothing
//! nests deeper than this, so reading needs no recursion and no limit of depth.

use super::row::{Field, Malformed, ROWS_MAX, Row, Written};

/// The member that holds the list.
const MUTATIONS: &str = "mutations";
/// How many members a row may have; there are names for fewer.
const FIELDS_MAX: usize = 32;

/// Reads the rows of a body.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, Malformed> {
    let mut reader = Reader { text, at: 0 };
    reader.skip_blanks();
    let rows = match reader.next() {
        Some(b'[') => reader.list()?,
        Some(b'{') => reader.outermost_object()?,
        _ => return Err(reader.fault("an object or a list is expected")),
    };
    reader.skip_blanks();
    if reader.next().is_some() {
        return Err(reader.fault("nothing is expected behind the end"));
    }
    Ok(rows)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fault(&self, reason: &'static str) -> Malformed {
        Malformed::new(self.at, reason)
    }

    fn skip_blanks(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.next().is_some_and(&wanted) {
            self.at = self.at.saturating_add(1);
        }
    }

    /// Takes this byte and the blanks around it, if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let comes = self.next() == Some(byte);
        if comes {
            self.at = self.at.saturating_add(1);
            self.skip_blanks();
        }
        comes
    }

    fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), Malformed> {
        if self.take(byte) { Ok(()) } else { Err(self.fault(reason)) }
    }

    fn list(&mut self) -> Result<Vec<Row>, Malformed> {
        self.expect(b'[', "a list is expected")?;
        let mut rows = Vec::new();
        if self.take(b']') {
            return Ok(rows);
        }
        loop {
            if rows.len() >= ROWS_MAX {
                return Err(self.fault("there are more than 1000 rows"));
            }
            rows.push(self.row()?);
            if self.take(b']') {
                return Ok(rows);
            }
            self.expect(b',', "a comma or the end of the list is expected")?;
        }
    }

    /// The row that stands alone, or the list in it.
    fn outermost_object(&mut self) -> Result<Vec<Row>, Malformed> {
        let start = self.at;
        self.expect(b'{', "an object is expected")?;
        if self.next() == Some(b'"') {
            let name = self.string()?;
            self.expect(b':', "a colon is expected")?;
            if name == MUTATIONS {
                let rows = self.list()?;
                self.expect(b'}', "nothing is expected beside the list")?;
                return Ok(rows);
            }
        }
        self.at = start;
        Ok(vec![self.row()?])
    }

    fn row(&mut self) -> Result<Row, Malformed> {
        let mut row = Row { at: self.at, fields: Vec::new() };
        self.expect(b'{', "an object is expected")?;
        if self.take(b'}') {
            return Ok(row);
        }
        loop {
            if row.fields.len() >= FIELDS_MAX {
                return Err(self.fault("the object has too many members"));
            }
            let name_at = self.at;
            let name = self.string()?;
            self.expect(b':', "a colon is expected")?;
            let value_at = self.at;
            let (value, written) = self.value()?;
            row.fields.push(Field { name, name_at, value, value_at, written });
            if self.take(b'}') {
                return Ok(row);
            }
            self.expect(b',', "a comma or the end of the object is expected")?;
        }
    }

    fn value(&mut self) -> Result<(String, Written), Malformed> {
        match self.next() {
            Some(b'"') => Ok((self.string()?, Written::Text)),
            Some(b'-' | b'0'..=b'9') => Ok((self.number()?, Written::Number)),
            Some(b'n') if self.rest().starts_with("null") => {
                self.at = self.at.saturating_add("null".len());
                Ok((String::new(), Written::Nothing))
            }
            _ => Err(self.fault("a text or a whole number is expected")),
        }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// A number as it is spelt.
    fn number(&mut self) -> Result<String, Malformed> {
        let start = self.at;
        self.skip_while(|byte| matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E' | b'0'..=b'9'));
        let spelt = self.text.get(start..self.at).unwrap_or_default();
        let digits = spelt.strip_prefix('-').unwrap_or(spelt);
        let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits == "0" || !digits.is_empty() && !digits.starts_with('0'));
        if is_whole {
            Ok(spelt.to_owned())
        } else {
            Err(Malformed::new(start, "a number is whole here; what has decimals is a text"))
        }
    }

    fn string(&mut self) -> Result<String, Malformed> {
        let start = self.at;
        if self.next() != Some(b'"') {
            return Err(self.fault("a text in quotation marks is expected"));
        }
        loop {
            self.at = self.at.saturating_add(1);
            match self.next() {
                None => return Err(Malformed::new(start, "the text has no end")),
                Some(b'"') => break,
                Some(b'\\') => self.at = self.at.saturating_add(1),
                Some(_) => {}
            }
        }
        self.at = self.at.saturating_add(1);
        let spelt = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(spelt).map_err(|_| Malformed::new(start, "the text is no JSON"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(row: &Row) -> Vec<(&str, &str, Written)> {
        row.fields.iter().map(|it| (it.name.as_str(), it.value.as_str(), it.written)).collect()
    }

    #[test]
    fn three_forms_are_read() {
        let row = r#"{ "id" : "a\u00e9\n" , "amount": 10000, "balance":"-1.00","sender":null }"#;
        let expected = [
            ("id", "aé\n", Written::Text),
            ("amount", "10000", Written::Number),
            ("balance", "-1.00", Written::Text),
            ("sender", "", Written::Nothing),
        ];
        for (body, count) in [
            (row.to_owned(), 1),
            (format!(" [{row} ,\n{row}] "), 2),
            (format!("{{\"mutations\": [{row}]}}"), 1),
            ("[]".to_owned(), 0),
            (r#"{"mutations":[ ]}"#.to_owned(), 0),
        ] {
            let rows = rows(&body).expect("well-formed");
            assert_eq!(rows.len(), count, "{body}");
            assert!(rows.iter().all(|row| values(row) == expected), "{body}");
        }
        assert_eq!(rows("{}").expect("well-formed")[0].fields, []);
    }

    #[test]
    fn a_fault_has_a_place() {
        let table = [
            ("", 1, 1),
            ("1", 1, 1),
            ("null", 1, 1),
            ("[", 1, 2),
            ("[1]", 1, 2),
            ("[{}", 1, 4),
            ("[{},]", 1, 5),
            ("[{}] x", 1, 6),
            ("[[]]", 1, 2),
            (r#"{"a"}"#, 1, 5),
            (r#"{"a":}"#, 1, 6),
            (r#"{"a":1,}"#, 1, 8),
            (r#"{"a":1 "b":2}"#, 1, 8),
            (r#"{a:1}"#, 1, 2),
            (r#"{"a":tru}"#, 1, 6),
            (r#"{"a":true}"#, 1, 6),
            (r#"{"a":[]}"#, 1, 6),
            (r#"{"a":{}}"#, 1, 6),
            ("{\n \"amount\": 1.0}", 2, 12),
            ("{\n \"amount\": 1e3}", 2, 12),
            ("{\n \"amount\": -}", 2, 12),
            ("{\n \"amount\": 01}", 2, 12),
            (r#"{"a":"b"#, 1, 6),
            (r#"{"a":"\x"}"#, 1, 6),
            (r#"{"a":"\ud800"}"#, 1, 6),
            ("{\"a\":\"\t\"}", 1, 6),
            (r#"{"a":"é","b":x}"#, 1, 14),
            (r#"{"mutations":{}}"#, 1, 14),
            (r#"{"mutations":[],"b":1}"#, 1, 16),
            (r#"{"b":1,"mutations":[]}"#, 1, 20),
        ];
        for (body, line, column) in table {
            let fault = rows(body).expect_err(body);
            assert_eq!(fault.place(body), (line, column), "{body}: {}", fault.reason);
        }
    }

    #[test]
    fn rows_and_members_are_counted() {
        let list = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
        assert_eq!(rows(&list(ROWS_MAX)).map(|rows| rows.len()), Ok(ROWS_MAX));
        assert!(rows(&list(ROWS_MAX + 1)).is_err());
        let row = format!("{{{}}}", vec!["\"a\":1"; FIELDS_MAX + 1].join(","));
        assert!(rows(&row).is_err());
    }

    proptest! {
        /// What is read, a reader of JSON reads too.
        #[test]
        fn nothing_else_than_json_is_read(body in "[\\[\\]{}\":,\\\\ umtions0-9.eé-]{0,40}") {
            if rows(&body).is_ok() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok());
            }
        }
    }
}
