//! Numbers and texts as bytes, and back.
//!
//! Numbers that are not negative are written seven bits at a time, the lowest first; other ones are
//! folded so that small ones stay short. A text is its length and its bytes. Reading never goes
//! beyond its bytes and sets nothing aside for what they announce.

use crate::sqlite::fields::Problem;

/// Appends values to a buffer.
pub(super) struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    pub(super) const fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn number(&mut self, number: impl Into<u64>) {
        let mut rest: u64 = number.into();
        loop {
            let [low, ..] = rest.to_le_bytes();
            rest >>= 7;
            if rest == 0 {
                return self.0.push(low & 0x7f);
            }
            self.0.push(low | 0x80);
        }
    }

    /// A number that may be negative.
    pub(super) fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    /// How many there are of what follows.
    pub(super) fn count(&mut self, count: usize) {
        // No count of what is in memory exceeds 64 bits.
        self.number(u64::try_from(count).unwrap_or(u64::MAX));
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes(text.as_bytes());
    }

    /// Whether there is a value, and the value.
    pub(super) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// Several of a kind.
    pub(super) fn list<T>(
        &mut self,
        values: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.count(values.len());
        values.for_each(|value| write(self, value));
    }
}

/// Takes values from bytes.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Problem> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("it ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Problem> {
        let (byte, rest) = self.0.split_first().ok_or("it ends too early")?;
        self.0 = rest;
        Ok(*byte)
    }

    fn long(&mut self) -> Result<u64, Problem> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit.
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("a number is too large".to_owned())
    }

    /// A number that is not negative and fits its type.
    pub(super) fn number<T: TryFrom<u64>>(&mut self) -> Result<T, Problem> {
        T::try_from(self.long()?).map_err(|_| "a number is too large".to_owned())
    }

    /// A number that may be negative.
    pub(super) fn signed(&mut self) -> Result<i64, Problem> {
        let folded = self.long()?;
        let magnitude = (folded >> 1).cast_signed();
        Ok(if folded & 1 == 0 { magnitude } else { !magnitude })
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        self.take(N)?.try_into().map_err(|_| "it ends too early".to_owned())
    }

    /// As many bytes as are counted.
    pub(super) fn counted_bytes(&mut self) -> Result<&'a [u8], Problem> {
        let length = self.number()?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Problem> {
        str::from_utf8(self.counted_bytes()?).map_err(|_| "a text is not UTF-8".to_owned())
    }

    /// A value, if there is one.
    pub(super) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<Option<T>, Problem> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            other => Err(format!("{other} is neither yes nor no")),
        }
    }

    /// Reads as many as are counted.
    pub(super) fn each(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let count = self.long()?;
        (0..count).try_for_each(|_| read(self))
    }

    /// Several of a kind, each at least a byte long.
    pub(super) fn list<T>(
        &mut self,
        read: impl FnMut(&mut Self) -> Result<T, Problem>,
    ) -> Result<Vec<T>, Problem> {
        let mut values = Vec::new();
        self.list_onto(&mut values, read)?;
        Ok(values)
    }

    /// The same, behind those that are there.
    pub(super) fn list_onto<T>(
        &mut self,
        values: &mut Vec<T>,
        mut read: impl FnMut(&mut Self) -> Result<T, Problem>,
    ) -> Result<(), Problem> {
        self.each(|reader| {
            values.push(read(reader)?);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut Writer::new(&mut bytes));
        bytes
    }

    #[test]
    fn numbers_are_short_and_come_back() {
        let table: [(u64, &[u8]); 6] = [
            (0, &[0]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (300, &[0xac, 2]),
            (1 << 63, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]),
            (u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ];
        for (number, bytes) in table {
            assert_eq!(written(|writer| writer.number(number)), bytes, "{number}");
            assert_eq!(Reader::new(bytes).number(), Ok(number));
        }
    }

    #[test]
    fn signed_numbers_come_back() {
        let table = [(0, 1), (-1, 1), (63, 1), (-64, 1), (64, 2), (i64::MAX, 10), (i64::MIN, 10)];
        for (number, length) in table {
            let bytes = written(|writer| writer.signed(number));
            assert_eq!(bytes.len(), length, "{number}");
            assert_eq!(Reader::new(&bytes).signed(), Ok(number));
        }
    }

    #[test]
    fn what_is_too_large_or_too_short_is_refused() {
        let too_large: [&[u8]; 2] =
            [&[0xff; 11], &[255, 255, 255, 255, 255, 255, 255, 255, 255, 2]];
        for bytes in too_large {
            assert_eq!(Reader::new(bytes).number::<u64>(), Err("a number is too large".to_owned()));
        }
        assert!(Reader::new(&[0x80, 2]).number::<u8>().is_err());
        assert!(Reader::new(&[5, b'a']).text().is_err());
        assert!(Reader::new(&[1, 0xff]).text().is_err());
        assert!(Reader::new(&[2]).optional(Reader::byte).is_err());
        let announced = written(|writer| writer.number(u64::MAX));
        assert!(Reader::new(&announced).list(Reader::byte).is_err());
    }
}
