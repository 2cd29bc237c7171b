//! Text as the pages set it: in Helvetica, which every PDF viewer has, encoded as WinAnsi (PDF
//! 32000-1, annex D) and measured with the widths that Adobe publishes for that font.
//!
//! Invariants: an encoded text holds only glyphs of the font, no control characters and no blanks at
//! its ends or in a row; one byte is one glyph; a wrapped line is never wider than asked for, unless
//! a single glyph is. Lengths are tenths of a point throughout, so that no float is reckoned with.
//!
//! What WinAnsi cannot say is written with its plain Latin letter where it has one and as a question
//! mark otherwise. Right-to-left text isn't reordered.

/// A cut of the font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// Helvetica.
    Regular,
    /// Helvetica-Bold.
    Bold,
}

/// A face at a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    /// The cut.
    pub(super) face: Face,
    /// The size of the font in tenths of a point.
    pub(super) size: i64,
}

impl Style {
    pub(super) const fn regular(size: i64) -> Self {
        Self { face: Face::Regular, size }
    }

    pub(super) const fn bold(size: i64) -> Self {
        Self { face: Face::Bold, size }
    }

    /// From one baseline to the next.
    pub(super) const fn leading(self) -> i64 {
        self.size * 13 / 10
    }

    /// How wide these glyphs are, rounded up.
    pub(super) fn width(self, text: &[u8]) -> i64 {
        let advance: i64 = text.iter().map(|glyph| self.advance(*glyph)).sum();
        advance.saturating_add(999) / 1000
    }

    /// The width of a glyph in thousandths of our unit.
    fn advance(self, glyph: u8) -> i64 {
        let widths = match self.face {
            Face::Regular => &REGULAR_WIDTHS,
            Face::Bold => &BOLD_WIDTHS,
        };
        let index = usize::from(glyph).saturating_sub(usize::from(FIRST_GLYPH));
        i64::from(widths.get(index).copied().unwrap_or(0)).saturating_mul(self.size)
    }

    /// Breaks a text into lines of at most this width, between words where that is possible. A text
    /// without a visible glyph has no lines.
    pub(super) fn wrap(self, text: &str, width: i64) -> Vec<Vec<u8>> {
        let limit = width.saturating_mul(1000);
        let mut lines = Vec::new();
        let mut line = Vec::new();
        let mut used = 0;
        for word in encode(text).split(|byte| *byte == b' ').filter(|word| !word.is_empty()) {
            let needed = self.advance(b' ') + self.total(word);
            if !line.is_empty() && used + needed <= limit {
                line.push(b' ');
                line.extend_from_slice(word);
                used += needed;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            used = 0;
            for glyph in word {
                let advance = self.advance(*glyph);
                if used + advance > limit && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(*glyph);
                used += advance;
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines
    }

    fn total(self, word: &[u8]) -> i64 {
        word.iter().map(|glyph| self.advance(*glyph)).sum()
    }
}

/// A text in WinAnsi, blanks collapsed.
pub(super) fn encode(text: &str) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(text.len());
    for glyph in text.chars().filter_map(glyph) {
        if glyph != b' ' || encoded.last().is_some_and(|last| *last != b' ') {
            encoded.push(glyph);
        }
    }
    encoded.truncate(encoded.trim_ascii_end().len());
    encoded
}

/// The glyph for a character; none for one that is not visible by itself.
fn glyph(character: char) -> Option<u8> {
    let glyph = match character {
        '\u{AD}'
        | '\u{300}'..='\u{36F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' => return None,
        _ if character.is_whitespace() || character.is_control() => b' ',
        '\u{2010}'..='\u{2012}' | '\u{2015}' | '\u{2212}' => b'-',
        '\u{2032}' => b'\'',
        '\u{2033}' => b'"',
        ' '..='~' | '\u{A1}'..='\u{FF}' => low_byte(character),
        '\u{FF01}'..='\u{FF5E}' => low_byte(character).wrapping_add(b' '),
        _ => extended(character).or_else(|| base_letter(character)).unwrap_or(b'?'),
    };
    Some(glyph)
}

fn low_byte(character: char) -> u8 {
    let [byte, ..] = u32::from(character).to_le_bytes();
    byte
}

/// Where WinAnsi departs from Latin-1.
fn extended(character: char) -> Option<u8> {
    const EXTENDED: [(char, u8); 27] = [
        ('€', 0x80),
        ('‚', 0x82),
        ('ƒ', 0x83),
        ('„', 0x84),
        ('…', 0x85),
        ('†', 0x86),
        ('‡', 0x87),
        ('ˆ', 0x88),
        ('‰', 0x89),
        ('Š', 0x8A),
        ('‹', 0x8B),
        ('Œ', 0x8C),
        ('Ž', 0x8E),
        ('‘', 0x91),
        ('’', 0x92),
        ('“', 0x93),
        ('”', 0x94),
        ('•', 0x95),
        ('–', 0x96),
        ('—', 0x97),
        ('˜', 0x98),
        ('™', 0x99),
        ('š', 0x9A),
        ('›', 0x9B),
        ('œ', 0x9C),
        ('ž', 0x9E),
        ('Ÿ', 0x9F),
    ];
    EXTENDED.iter().find(|(known, _)| *known == character).map(|(_, glyph)| *glyph)
}

/// The letter under the accent, for the block Latin Extended-A.
fn base_letter(character: char) -> Option<u8> {
    const FIRST: u32 = 0x100;
    const LETTERS: &[u8; 128] = b"AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL\
        lLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";
    let index = usize::try_from(u32::from(character).checked_sub(FIRST)?).ok()?;
    LETTERS.get(index).copied()
}

/// The first byte that has a width below.
const FIRST_GLYPH: u8 = 32;

/// Widths of Helvetica in thousandths of its size, from the blank on.
const REGULAR_WIDTHS: [u16; 224] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, //
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, //
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, //
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, //
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, //
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584, 350, //
    556, 350, 222, 556, 333, 1000, 556, 556, 333, 1000, 667, 333, 1000, 350, 611, 350, //
    350, 222, 222, 333, 333, 350, 556, 1000, 333, 1000, 500, 333, 944, 350, 500, 667, //
    278, 333, 556, 556, 556, 556, 260, 556, 333, 737, 370, 556, 584, 333, 737, 333, //
    400, 584, 333, 333, 333, 556, 537, 278, 333, 333, 365, 556, 834, 834, 834, 611, //
    667, 667, 667, 667, 667, 667, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278, //
    722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667, 611, //
    556, 556, 556, 556, 556, 556, 889, 500, 556, 556, 556, 556, 278, 278, 278, 278, //
    556, 556, 556, 556, 556, 556, 556, 584, 611, 556, 556, 556, 556, 500, 556, 500,
];

/// Widths of Helvetica-Bold in thousandths of its size, from the blank on.
const BOLD_WIDTHS: [u16; 224] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, //
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, //
    975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778, //
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, //
    333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, //
    611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584, 350, //
    556, 350, 278, 556, 500, 1000, 556, 556, 333, 1000, 667, 333, 1000, 350, 611, 350, //
    350, 278, 278, 500, 500, 350, 556, 1000, 333, 1000, 556, 333, 944, 350, 500, 667, //
    278, 333, 556, 556, 556, 556, 280, 556, 333, 737, 370, 556, 584, 333, 737, 333, //
    400, 584, 333, 333, 333, 611, 556, 278, 333, 333, 365, 556, 834, 834, 834, 611, //
    722, 722, 722, 722, 722, 722, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278, //
    722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667, 611, //
    556, 556, 556, 556, 556, 556, 889, 556, 556, 556, 556, 556, 278, 278, 278, 278, //
    611, 611, 611, 611, 611, 611, 611, 584, 611, 611, 611, 611, 611, 556, 611, 556,
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_outside_the_encoding_stay_readable() {
        let table: [(&str, &[u8]); 12] = [
            ("Toko (Contoh) \\ 1", b"Toko (Contoh) \\ 1"),
            ("Café Ñandú", b"Caf\xE9 \xD1and\xFA"),
            ("5 € – “ok”…", b"5 \x80 \x96 \x93ok\x94\x85"),
            ("Łódź Şahin Žižka", b"L\xF3dz Sahin \x8Ei\x9Eka"),
            ("e\u{301}a", b"ea"),
            ("ＴＯＫＯ　１", b"TOKO 1"),
            ("店", b"?"),
            ("a\u{202E}b\u{200B}c\u{AD}d", b"abcd"),
            (" \t a \u{A0}\r\n b ", b"a b"),
            ("nul\u{0}bel\u{7}del\u{7F}c1\u{85}", b"nul bel del c1"),
            ("\u{2011}\u{2212}", b"--"),
            ("", b""),
        ];
        for (text, expected) in table {
            assert_eq!(encode(text), expected, "{text:?}");
        }
    }

    #[test]
    fn lines_break_between_words_and_only_else_within_them() {
        let style = Style::regular(100);
        let lines = |text: &str, width| {
            let lines = style.wrap(text, width);
            lines.into_iter().map(|line| String::from_utf8_lossy(&line).into_owned()).collect()
        };
        let table: [(&str, i64, &[&str]); 6] = [
            ("aa bb cc", 260, &["aa bb", "cc"]),
            ("aaaaaaa bb", 260, &["aaaa", "aaa", "bb"]),
            ("aaaaaa b", 260, &["aaaa", "aa b"]),
            ("aaa", 10, &["a", "a", "a"]),
            ("  ", 260, &[]),
            ("aa", 112, &["aa"]),
        ];
        for (text, width, expected) in table {
            let found: Vec<String> = lines(text, width);
            assert_eq!(found, expected, "{text:?} in {width}");
        }
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_no_glyph_is_lost(text in any::<String>(), width in 100_i64..2000) {
            for style in [Style::regular(80), Style::bold(96)] {
                let lines = style.wrap(&text, width);
                prop_assert!(lines.iter().all(|line| style.width(line) <= width));
                let visible = |bytes: &[u8]| bytes.iter().filter(|byte| **byte != b' ').count();
                let kept: usize = lines.iter().map(|line| visible(line)).sum();
                prop_assert_eq!(kept, visible(&encode(&text)));
            }
        }

        #[test]
        fn every_glyph_can_be_seen(text in any::<String>()) {
            let unseen = |glyph: &u8| {
                matches!(*glyph, 0..=31 | 0x7F | 0x81 | 0x8D | 0x8F | 0x90 | 0x9D | 0xA0 | 0xAD)
            };
            prop_assert!(!encode(&text).iter().any(unseen));
        }
    }
}
