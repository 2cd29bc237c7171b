//! Sets a receipt on paper: which text stands where, without knowing how a PDF is written.
//!
//! The paper is a roll of 80 millimetres, of which printers reach 72. A page is as long as what
//! stands on it; only texts that no bill has make a second one. Invariants: nothing stands outside
//! the printable width, every glyph of every text is set, and lines don't overlap. Lengths are
//! tenths of a point, measured from the upper left corner.

use super::particulars::Line;
use super::receipt::{Sheet, SingleBill};
use super::typeface::Style;

/// The width of a page: 80 mm.
pub(super) const PAGE_WIDTH: i64 = 2268;
/// What printers leave blank on both sides: 4 mm.
pub(super) const MARGIN: i64 = 114;
/// The most that a page may be long, 705 mm.
pub(super) const PAGE_HEIGHT_MAX: i64 = 20_000;

const PRINTABLE: i64 = PAGE_WIDTH - 2 * MARGIN;
const RIGHT: i64 = PAGE_WIDTH - MARGIN;
const TOP: i64 = 170;
const BOTTOM: i64 = 200;
const VALUE_X: i64 = MARGIN + 720;
const INDENT: i64 = 90;
/// Between a text on the left and one on the right of a line.
const GUTTER: i64 = 60;

const ISSUER: Style = Style::bold(125);
const ADDRESS: Style = Style::regular(75);
const TITLE: Style = Style::bold(92);
const LABEL: Style = Style::regular(75);
const VALUE: Style = Style::regular(80);
const STRONG: Style = Style::bold(80);
const SMALL: Style = Style::regular(72);
const TOTAL_LABEL: Style = Style::bold(96);
const TOTAL: Style = Style::bold(130);
const THANKS: Style = Style::bold(80);

/// How far a stamp reaches from its middle to each side.
pub(super) const STAMP_HALF_WIDTH: i64 = 520;
/// How far a stamp reaches from its middle up and down.
pub(super) const STAMP_HALF_HEIGHT: i64 = 240;
/// What a stamp needs from top to bottom, leaning as it does.
const STAMP_ROOM: i64 = 620;

/// One thing that is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// Glyphs.
    Text {
        /// Where they begin.
        x: i64,
        /// What they stand on.
        baseline: i64,
        style: Style,
        glyphs: Vec<u8>,
    },
    /// A line over the whole printable width.
    Rule { y: i64, dashed: bool },
    /// The stamp LUNAS with a date, around this point.
    Stamp { x: i64, y: i64, date: Vec<u8> },
}

/// A page with what is drawn on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) height: i64,
    pub(super) marks: Vec<Mark>,
}

/// Sets the whole receipt.
pub(super) fn compose(sheet: &Sheet) -> Vec<Page> {
    let mut pen = Pen { done: Vec::new(), marks: Vec::new(), y: TOP };
    pen.centred(&sheet.issuer, ISSUER);
    pen.skip(15);
    sheet.address.iter().for_each(|line| pen.centred(line, ADDRESS));
    pen.rule(false);
    pen.centred(&sheet.title, TITLE);
    pen.skip(60);
    sheet.fields.iter().for_each(|line| pen.field(line));
    pen.bills(&sheet.bills);
    pen.rule(true);
    for line in &sheet.amounts {
        pen.amount(line.label, LABEL, &line.value, VALUE, 0);
    }
    pen.rule(false);
    pen.amount("TOTAL BAYAR", TOTAL_LABEL, &sheet.total, TOTAL, 0);
    pen.rule(false);
    if let Some(notice) = &sheet.notice {
        pen.centred(notice, STRONG);
        pen.skip(30);
    }
    pen.stamp(&sheet.paid_on);
    sheet.footer.iter().for_each(|line| pen.centred(line, SMALL));
    if !sheet.footer.is_empty() {
        pen.skip(40);
    }
    pen.centred("Struk ini adalah bukti pembayaran yang sah.", SMALL);
    pen.centred("Mohon disimpan. Terima kasih.", THANKS);
    pen.finish()
}

/// Writes from top to bottom.
struct Pen {
    done: Vec<Page>,
    marks: Vec<Mark>,
    /// How far the page is used.
    y: i64,
}

impl Pen {
    /// Uses up this much of the page, or of the next one, and tells where it begins.
    fn take(&mut self, height: i64) -> i64 {
        if self.y + height + BOTTOM > PAGE_HEIGHT_MAX {
            self.end_page();
        }
        let top = self.y;
        self.y += height;
        top
    }

    fn end_page(&mut self) {
        let marks = std::mem::take(&mut self.marks);
        self.done.push(Page { height: self.y + BOTTOM, marks });
        self.y = TOP;
    }

    fn skip(&mut self, height: i64) {
        self.y += height;
    }

    fn finish(mut self) -> Vec<Page> {
        self.end_page();
        self.done
    }

    /// Writes into a line that begins at `top` and has room for `tallest`.
    fn text(&mut self, x: i64, top: i64, tallest: Style, style: Style, glyphs: Vec<u8>) {
        let baseline = top + tallest.size;
        self.marks.push(Mark::Text { x, baseline, style, glyphs });
    }

    fn centred(&mut self, text: &str, style: Style) {
        for glyphs in style.wrap(text, PRINTABLE) {
            let top = self.take(style.leading());
            let x = MARGIN + (PRINTABLE - style.width(&glyphs)) / 2;
            self.text(x, top, style, style, glyphs);
        }
    }

    fn rule(&mut self, dashed: bool) {
        let y = self.take(130) + 60;
        self.marks.push(Mark::Rule { y, dashed });
    }

    /// A label with a text beside it, which may take several lines.
    fn field(&mut self, line: &Line) {
        let mut labels = LABEL.wrap(line.label, VALUE_X - MARGIN - 20).into_iter();
        for glyphs in VALUE.wrap(&line.value, RIGHT - VALUE_X) {
            let top = self.take(VALUE.leading() + 6);
            if let Some(label) = labels.next() {
                self.text(MARGIN, top, VALUE, LABEL, label);
            }
            self.text(VALUE_X, top, VALUE, VALUE, glyphs);
        }
    }

    /// A text on the left and an amount on the right, in one line or, if they don't fit, in several.
    fn amount(&mut self, text: &str, style: Style, amount: &str, figures: Style, indent: i64) {
        let left = MARGIN + indent;
        let amounts = figures.wrap(amount, RIGHT - left);
        let needed = amounts.iter().map(|glyphs| figures.width(glyphs)).max().unwrap_or(0);
        let beside = RIGHT - left - needed - GUTTER;
        let texts = style.wrap(text, RIGHT - left);
        let fits = texts.len() == 1 && texts.iter().all(|glyphs| style.width(glyphs) <= beside);
        let mut top = self.take(figures.leading() + 6);
        for (index, glyphs) in texts.into_iter().enumerate() {
            if index > 0 {
                top = self.take(style.leading());
            }
            self.text(left, top, figures, style, glyphs);
        }
        for (index, glyphs) in amounts.into_iter().enumerate() {
            if index > 0 || !fits {
                top = self.take(figures.leading());
            }
            self.text(RIGHT - figures.width(&glyphs), top, figures, figures, glyphs);
        }
    }

    fn bills(&mut self, bills: &[SingleBill]) {
        if bills.is_empty() {
            return;
        }
        self.rule(true);
        self.centred(&format!("RINCIAN {} LEMBAR TAGIHAN", bills.len()), STRONG);
        for bill in bills {
            self.skip(30);
            self.amount(&bill.heading, STRONG, &bill.amount, STRONG, 0);
            for line in &bill.lines {
                self.amount(line.label, SMALL, &line.value, SMALL, INDENT);
            }
        }
    }

    fn stamp(&mut self, date: &str) {
        let top = self.take(STAMP_ROOM);
        let date = super::typeface::encode(date);
        self.marks.push(Mark::Stamp { x: PAGE_WIDTH / 2, y: top + STAMP_ROOM / 2 - 30, date });
    }
}
