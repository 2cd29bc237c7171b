//! Settings whose value is one of a few words.

use domain::{Currency, Role};
use protocols::sandbox::NumberScheme;

/// A closed list of words, each standing for a value.
pub(crate) trait Choice: Sized {
    /// The words, in the order in which they are named to people.
    const WORDS: &'static [&'static str];

    /// What a word stands for.
    fn from_word(word: &str) -> Option<Self>;
}

macro_rules! choice {
    ($(#[$documentation:meta])* $name:ident { $($(#[$about:meta])* $member:ident = $word:literal,)+ }) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum $name {
            $($(#[$about])* $member,)+
        }

        impl Choice for $name {
            const WORDS: &'static [&'static str] = &[$($word),+];

            fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$member),)+
                    _ => None,
                }
            }
        }
    };
}

impl Choice for Role {
    const WORDS: &'static [&'static str] =
        &[Self::Viewer.name(), Self::Operator.name(), Self::Administrator.name()];

    fn from_word(word: &str) -> Option<Self> {
        Self::from_name(word)
    }
}

choice! {
    /// How the log is written.
    LogFormat {
        /// For people on a terminal, for machines elsewhere.
        Auto = "auto",
        /// Plain lines.
        Pretty = "pretty",
        /// One JSON object a line.
        Json = "json",
    }
}

choice! {
    /// Which API an upstream speaks.
    UpstreamKind {
        /// The supplier that is built in.
        Sandbox = "sandbox",
    }
}

impl Choice for Currency {
    const WORDS: &'static [&'static str] = &{
        let mut words = [""; Self::ALL.len()];
        let mut index = 0;
        while index < words.len() {
            words[index] = Self::ALL[index].code();
            index += 1;
        }
        words
    };

    fn from_word(word: &str) -> Option<Self> {
        Self::from_code(word)
    }
}

choice! {
    /// How a feed of evidence writes from whom money is.
    Senders {
        /// As accounts, names, or whatever it has.
        Text = "text",
        /// As telephone numbers.
        Telephone = "telephone",
    }
}

choice! {
    /// IAK's two schemes of sandbox numbers, which contradict each other.
    IakNumbers {
        /// The last four digits name phase and response code.
        New = "new",
        /// The last digit names the case.
        Old = "old",
    }
}

impl From<IakNumbers> for NumberScheme {
    fn from(numbers: IakNumbers) -> Self {
        match numbers {
            IakNumbers::New => Self::New,
            IakNumbers::Old => Self::Old,
        }
    }
}
