//! The two languages in which Lunas speaks to people.

use clap::{Args, ValueEnum};
use protocols::dissection::Bilingual;

use super::language_of_process;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Indonesian.
    Id,
    /// English.
    En,
}

/// Lets a command be told its language.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct LanguageOptions {
    /// Bahasa · language; without it that of LANG, and Indonesian where that is neither
    #[arg(long)]
    language: Option<Language>,
}

impl LanguageOptions {
    /// The language that was given, or that of the process.
    pub(crate) fn chosen(self) -> Language {
        self.language.unwrap_or_else(language_of_process)
    }
}

impl Language {
    /// Which of the two the environment asks for, by the variables that POSIX gives this meaning.
    pub(super) fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(variable);
        match set.find(|value| !value.is_empty()) {
            Some(value) if value.starts_with("en") => Self::En,
            _ => Self::Id,
        }
    }

    /// One of two texts that say the same.
    pub(crate) const fn choose<'a>(self, indonesian: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Id => indonesian,
            Self::En => english,
        }
    }

    /// The text in this language.
    pub(crate) fn of(self, text: &Bilingual) -> &str {
        self.choose(&text.indonesian, &text.english)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_tells_the_language() {
        let table: [(&[(&str, &str)], Language); 7] = [
            (&[], Language::Id),
            (&[("LANG", "C.UTF-8")], Language::Id),
            (&[("LANG", "id_ID.UTF-8")], Language::Id),
            (&[("LANG", "en_US.UTF-8")], Language::En),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "id_ID.UTF-8")], Language::Id),
            (&[("LANG", "id_ID"), ("LC_MESSAGES", "en_GB")], Language::En),
            (&[("LANG", "en_US.UTF-8"), ("LC_ALL", "")], Language::En),
        ];
        for (variables, expected) in table {
            let variable = |name: &str| {
                let found = variables.iter().find(|(set, _)| *set == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(Language::of_variables(variable), expected, "{variables:?}");
        }
    }
}
