//! The text format of Prometheus, version 0.0.4.
//!
//! A page is written when it is asked for and never kept. This module knows how values are written
//! and nothing of what they mean.

use std::fmt::{Display, Write as _};

use super::instruments::{Histogram, Unit};

/// The content type of a page.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// What kind of metric it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only ever grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, sum and count.
    Histogram,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Label names and values of a sample.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

/// A page that is being written.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    /// Begins a metric; the samples that follow belong to it.
    pub(super) fn metric(&mut self, name: &'static str, kind: Kind, help: &str) {
        self.name = name;
        self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {}\n", kind.word()));
    }

    /// One sample.
    pub(super) fn sample(&mut self, labels: Labels<'_>, value: impl Display) {
        self.line("", labels, None, value);
    }

    /// All samples of a histogram.
    pub(super) fn histogram(&mut self, labels: Labels<'_>, histogram: &Histogram) {
        let written = |number| match histogram.unit {
            Unit::Ones => number_text(number),
            Unit::Seconds => seconds(number),
        };
        let bounds = histogram.bounds.iter().map(|bound| written(*bound));
        let mut total = 0_u64;
        for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(histogram.counts()) {
            total = total.saturating_add(count);
            self.line("_bucket", labels, Some(&bound), total);
        }
        self.line("_sum", labels, None, written(histogram.sum()));
        // The count is made of the buckets, so that the page never contradicts itself.
        self.line("_count", labels, None, total);
    }

    /// The page as it is sent.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, bound: Option<&str>, value: impl Display) {
        let name = self.name;
        self.write(format_args!("{name}{suffix}"));
        let all = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
        for (index, (label, text)) in all.enumerate() {
            let separator = if index == 0 { '{' } else { ',' };
            self.write(format_args!("{separator}{label}=\"{}\"", escaped(text)));
        }
        let end = if labels.is_empty() && bound.is_none() { "" } else { "}" };
        self.write(format_args!("{end} {value}\n"));
    }

    fn write(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = self.text.write_fmt(arguments);
    }
}

fn number_text(number: u64) -> String {
    number.to_string()
}

/// Nanoseconds as seconds, without a trailing zero.
pub(super) fn seconds(nanoseconds: u64) -> String {
    let whole = nanoseconds / NANOSECONDS_PER_SECOND;
    let rest = nanoseconds % NANOSECONDS_PER_SECOND;
    let text = format!("{whole}.{rest:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_written_without_floating_point() {
        let table = [
            (0, "0"),
            (1, "0.000000001"),
            (500_000, "0.0005"),
            (2_500_000_000, "2.5"),
            (120_000_000_000, "120"),
            (u64::MAX, "18446744073.709551615"),
        ];
        for (nanoseconds, text) in table {
            assert_eq!(seconds(nanoseconds), text);
        }
    }

    #[test]
    fn samples_stand_under_their_metric() {
        let mut page = Page::default();
        page.metric("a_total", Kind::Counter, "What it is.");
        page.sample(&[], 1);
        page.sample(&[("x", "a\"b\\c\nd"), ("y", "")], 2);
        let expected = "# HELP a_total What it is.\n# TYPE a_total counter\na_total 1\n\
                        a_total{x=\"a\\\"b\\\\c\\nd\",y=\"\"} 2\n";
        assert_eq!(page.into_text(), expected);
    }

    #[test]
    fn buckets_add_up() {
        let histogram = Histogram::of_times();
        for nanoseconds in [400_000, 400_000, 3_000_000_000, 500_000_000_000] {
            histogram.observe(nanoseconds);
        }
        let mut page = Page::default();
        page.metric("t_seconds", Kind::Histogram, "Time.");
        page.histogram(&[("k", "v")], &histogram);
        let text = page.into_text();
        for line in [
            "t_seconds_bucket{k=\"v\",le=\"0.0005\"} 2\n",
            "t_seconds_bucket{k=\"v\",le=\"2.5\"} 2\n",
            "t_seconds_bucket{k=\"v\",le=\"10\"} 3\n",
            "t_seconds_bucket{k=\"v\",le=\"120\"} 3\n",
            "t_seconds_bucket{k=\"v\",le=\"+Inf\"} 4\n",
            "t_seconds_sum{k=\"v\"} 503.0008\n",
            "t_seconds_count{k=\"v\"} 4\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
