//! Writes set pages as a PDF.
//!
//! The bytes depend on the receipt alone: there is neither a clock nor an identifier in them. The
//! fonts are two of the fourteen that every viewer brings along, so none is embedded. Texts reach
//! the file only as strings that the writing library escapes, so that none can end its string.

use pdf_writer::types::LineCapStyle;
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use super::composition::{MARGIN, Mark, PAGE_WIDTH, Page, STAMP_HALF_HEIGHT, STAMP_HALF_WIDTH};
use super::typeface::{Face, Style};

const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const INFORMATION: Ref = Ref::new(3);
const REGULAR: Ref = Ref::new(4);
const BOLD: Ref = Ref::new(5);
/// Where the pages' own objects begin; each has two.
const FIRST_PAGE: i32 = 6;

/// Our unit is a tenth of the PDF's, so that all our lengths are whole numbers.
const UNIT: [f32; 6] = [0.1, 0.0, 0.0, 0.1, 0.0, 0.0];
/// Cosine and sine of the angle at which the stamp leans.
const LEAN: (f32, f32) = (0.994_522, 0.104_528);
/// The green of the stamp.
const INK: (f32, f32, f32) = (0.04, 0.42, 0.24);

const STAMP: Style = Style::bold(225);
const STAMP_DATE: Style = Style::bold(88);
/// Between the letters of the stamp.
const STAMP_SPACING: i64 = 25;

/// The document of these pages.
pub(super) fn write(title: &str, pages: &[Page]) -> Vec<u8> {
    let mut pdf = Pdf::new();
    let numbers: Vec<(Ref, Ref)> = (FIRST_PAGE..)
        .step_by(2)
        .take(pages.len())
        .map(|number| (Ref::new(number), Ref::new(number.saturating_add(1))))
        .collect();
    pdf.catalog(CATALOG).pages(PAGES).lang(TextStr("id-ID"));
    let count = i32::try_from(numbers.len()).unwrap_or(i32::MAX);
    pdf.pages(PAGES).kids(numbers.iter().map(|(page, _)| *page)).count(count);
    pdf.document_info(INFORMATION).title(TextStr(&plain(title))).producer(TextStr("Lunas"));
    for (number, face) in [(REGULAR, Face::Regular), (BOLD, Face::Bold)] {
        let mut font = pdf.type1_font(number);
        font.base_font(Name(font_name(face))).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for ((page_number, content_number), page) in numbers.into_iter().zip(pages) {
        let mut object = pdf.page(page_number);
        object.parent(PAGES).contents(content_number);
        object.media_box(Rect::new(0.0, 0.0, points(PAGE_WIDTH), points(page.height)));
        let mut resources = object.resources();
        resources.fonts().pair(resource(Face::Regular), REGULAR).pair(resource(Face::Bold), BOLD);
        resources.finish();
        object.finish();
        pdf.stream(content_number, &Drawing::of(page));
    }
    pdf.finish()
}

/// A title without the characters that mean something to a PDF's text strings.
fn plain(title: &str) -> String {
    title.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
}

const fn font_name(face: Face) -> &'static [u8] {
    match face {
        Face::Regular => b"Helvetica",
        Face::Bold => b"Helvetica-Bold",
    }
}

const fn resource(face: Face) -> Name<'static> {
    match face {
        Face::Regular => Name(b"R"),
        Face::Bold => Name(b"B"),
    }
}

/// A length in our unit as the writing library wants it. No page is longer than 16 bits count.
fn units(length: i64) -> f32 {
    f32::from(i16::try_from(length).unwrap_or(if length < 0 { i16::MIN } else { i16::MAX }))
}

/// A length in whole points, rounded up.
fn points(length: i64) -> f32 {
    units(length.saturating_add(9) / 10)
}

struct Drawing {
    content: Content,
    height: i64,
}

impl Drawing {
    fn of(page: &Page) -> Vec<u8> {
        let mut drawing = Self { content: Content::new(), height: page.height };
        drawing.content.transform(UNIT);
        for mark in &page.marks {
            match mark {
                Mark::Text { x, baseline, style, glyphs } => {
                    drawing.text((*x, page.height - baseline), *style, 0, glyphs);
                }
                Mark::Rule { y, dashed } => drawing.rule(*y, *dashed),
                Mark::Stamp { x, y, date } => drawing.stamp(*x, *y, date),
            }
        }
        drawing.content.finish().into_vec()
    }

    fn text(&mut self, (x, y): (i64, i64), style: Style, spacing: i64, glyphs: &[u8]) {
        self.content
            .begin_text()
            .set_font(resource(style.face), units(style.size))
            .set_char_spacing(units(spacing))
            .next_line(units(x), units(y))
            .show(Str(glyphs))
            .end_text();
    }

    fn rule(&mut self, y: i64, dashed: bool) {
        let y = units(self.height - y);
        self.content.save_state().set_line_width(6.0);
        if dashed {
            self.content.set_line_cap(LineCapStyle::RoundCap).set_dash_pattern([1.0, 26.0], 0.0);
            self.content.set_line_width(9.0);
        }
        self.content
            .move_to(units(MARGIN), y)
            .line_to(units(PAGE_WIDTH - MARGIN), y)
            .stroke()
            .restore_state();
    }

    /// Two frames, the word and the day, leaning like a stamp put by hand.
    #[expect(clippy::float_arithmetic, reason = "a matrix of a page, not money")]
    fn stamp(&mut self, x: i64, y: i64, date: &[u8]) {
        let (cosine, sine) = LEAN;
        let (red, green, blue) = INK;
        self.content
            .save_state()
            .transform([cosine, sine, -sine, cosine, units(x), units(self.height - y)])
            .set_stroke_rgb(red, green, blue)
            .set_fill_rgb(red, green, blue);
        self.frame(0, 70, 22.0);
        self.frame(40, 45, 7.0);
        let letters = b"LUNAS";
        let gaps = i64::try_from(letters.len()).unwrap_or(1) - 1;
        let width = STAMP.width(letters) + gaps * STAMP_SPACING;
        self.text((-width / 2, -40), STAMP, STAMP_SPACING, letters);
        self.text((-STAMP_DATE.width(date) / 2, -150), STAMP_DATE, 0, date);
        self.content.restore_state();
    }

    /// A frame with round corners, so far inside the edge of the stamp.
    fn frame(&mut self, inside: i64, radius: i64, line_width: f32) {
        // The distance of a cubic curve's control points that comes closest to a quarter circle.
        let bend = radius - radius * 5523 / 10_000;
        let (right, top) = (STAMP_HALF_WIDTH - inside, STAMP_HALF_HEIGHT - inside);
        let (left, bottom) = (-right, -top);
        let at = units;
        self.content
            .set_line_width(line_width)
            .move_to(at(left + radius), at(bottom))
            .line_to(at(right - radius), at(bottom));
        self.corner((right - bend, bottom), (right, bottom + bend), (right, bottom + radius));
        self.content.line_to(at(right), at(top - radius));
        self.corner((right, top - bend), (right - bend, top), (right - radius, top));
        self.content.line_to(at(left + radius), at(top));
        self.corner((left + bend, top), (left, top - bend), (left, top - radius));
        self.content.line_to(at(left), at(bottom + radius));
        self.corner((left, bottom + bend), (left + bend, bottom), (left + radius, bottom));
        self.content.close_and_stroke();
    }

    fn corner(&mut self, first: (i64, i64), second: (i64, i64), end: (i64, i64)) {
        self.content.cubic_to(
            units(first.0),
            units(first.1),
            units(second.0),
            units(second.1),
            units(end.0),
            units(end.1),
        );
    }
}
