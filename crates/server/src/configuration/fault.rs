//! What is wrong with a configuration, for the person who has to mend it.
//!
//! Every fault is one sentence with the key, the value, the place and the remedy. Faults are
//! collected, so that one run shows all of them. No fault contains a secret.

use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The key, table, variable or file.
    pub(crate) subject: String,
    /// The value as it was written, already masked where it may be a secret.
    pub(crate) value: Option<String>,
    /// Where it was written, if that is not the subject itself.
    pub(crate) place: Option<String>,
    /// What is wrong and what to do, separated by a semicolon.
    pub(crate) problem: String,
}

impl Fault {
    /// A fault that shows no value.
    pub(crate) fn at(
        subject: impl Into<String>,
        place: impl fmt::Display,
        problem: impl Into<String>,
    ) -> Self {
        let place = Some(place.to_string());
        Self { subject: subject.into(), value: None, place, problem: problem.into() }
    }

    /// A fault of something that is nowhere in particular.
    pub(crate) fn of(subject: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { subject: subject.into(), value: None, place: None, problem: problem.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.subject)?;
        if let Some(value) = &self.value {
            write!(formatter, " = {value}")?;
        }
        if let Some(place) = &self.place {
            write!(formatter, " ({place})")?;
        }
        write!(formatter, ": {}", self.problem)
    }
}

/// Everything that is wrong, one line each; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            fault.fmt(formatter)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
