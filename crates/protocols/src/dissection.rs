//! What comes of taking a signed request apart, whichever protocol it is of: what the signature is
//! computed from, what it should be, what it is, and which usual mistakes explain the difference.
//!
//! A protocol makes one with a function of its own beside its `sign`; whoever shows it needs no
//! other code for another protocol. Keys stand in it masked.

use domain::Masked;

/// A text in both languages of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bilingual {
    /// In Indonesian.
    pub indonesian: String,
    /// In English.
    pub english: String,
}

impl Bilingual {
    /// Says the same in both.
    pub fn new(indonesian: impl Into<String>, english: impl Into<String>) -> Self {
        Self { indonesian: indonesian.into(), english: english.into() }
    }
}

/// One part of the text that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The protocol's name for it.
    pub name: String,
    /// Its text, masked if it is a key.
    pub text: String,
    /// How many characters it really has, which shows blanks that nobody sees.
    pub length: usize,
}

impl Part {
    /// A part that may be seen.
    pub fn shown(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), length: text.chars().count() }
    }

    /// A part that may not.
    pub fn masked(name: &str, secret: &str) -> Self {
        Self { text: Masked(secret).to_string(), ..Self::shown(name, secret) }
    }
}

/// A request taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dissection {
    /// The protocol's word for what is asked.
    pub command: String,
    /// How the parts become a signature.
    pub method: Bilingual,
    /// What is signed, in order.
    pub parts: Vec<Part>,
    /// What stands between the parts.
    pub separator: &'static str,
    /// The signature that the request should have.
    pub expected: String,
    /// The one that it has.
    pub given: String,
    /// Whether it is accepted.
    pub is_valid: bool,
    /// What explains a signature that is not, all of it together; empty where nothing usual does.
    pub mistakes: Vec<Bilingual>,
    /// What is worth knowing besides.
    pub remarks: Vec<Bilingual>,
}

/// Why a request could not be taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undissected(pub Bilingual);

impl Undissected {
    /// Says why in both languages.
    pub fn new(indonesian: impl Into<String>, english: impl Into<String>) -> Self {
        Self(Bilingual::new(indonesian, english))
    }
}

/// One thing that may have been done where a signature was made, and what is wrong with it.
pub(crate) struct Choice<T> {
    /// What was done.
    pub(crate) value: T,
    /// Why that is wrong; none if it is right.
    pub(crate) mistake: Option<Bilingual>,
}

/// What should have been done.
pub(crate) fn right<T>(value: T) -> Choice<T> {
    Choice { value, mistake: None }
}

/// What may have been done instead.
pub(crate) fn wrong<T>(
    value: T,
    indonesian: impl Into<String>,
    english: impl Into<String>,
) -> Choice<T> {
    Choice { value, mistake: Some(Bilingual::new(indonesian, english)) }
}

/// Something that may have been done wrongly where a signature was made.
pub(crate) struct Mistake<'a, Recipe> {
    /// Which part of the recipe it is about; of two mistakes about the same part only one is made.
    part: &'static str,
    /// Makes it.
    make: Box<dyn Fn(&mut Recipe) + 'a>,
    told: Bilingual,
}

impl<'a, Recipe> Mistake<'a, Recipe> {
    /// A mistake about a part.
    pub(crate) fn new(
        part: &'static str,
        make: impl Fn(&mut Recipe) + 'a,
        indonesian: impl Into<String>,
        english: impl Into<String>,
    ) -> Self {
        Self { part, make: Box::new(make), told: Bilingual::new(indonesian, english) }
    }
}

/// The fewest of these mistakes, at most so many, after which a recipe brings what is wanted; told, and
/// the recipe with them.
pub(crate) fn fewest<Recipe: Clone>(
    right: &Recipe,
    mistakes: &[Mistake<'_, Recipe>],
    most: usize,
    wanted: &impl Fn(&Recipe) -> bool,
) -> Option<(Recipe, Vec<Bilingual>)> {
    (1..=most).find_map(|count| combined(right, mistakes, count, &[], wanted))
}

fn combined<Recipe: Clone>(
    recipe: &Recipe,
    mistakes: &[Mistake<'_, Recipe>],
    count: usize,
    parts: &[&'static str],
    wanted: &impl Fn(&Recipe) -> bool,
) -> Option<(Recipe, Vec<Bilingual>)> {
    let Some(left) = count.checked_sub(1) else {
        return wanted(recipe).then(|| (recipe.clone(), Vec::new()));
    };
    let mut rest = mistakes;
    while let Some((mistake, behind)) = rest.split_first() {
        rest = behind;
        if parts.contains(&mistake.part) {
            continue;
        }
        let mut made = recipe.clone();
        (mistake.make)(&mut made);
        let parts = [parts, &[mistake.part]].concat();
        if let Some((made, mut told)) = combined(&made, behind, left, &parts, wanted) {
            told.insert(0, mistake.told.clone());
            return Some((made, told));
        }
    }
    None
}

/// What may have been used in place of a credential, each told, and the credential itself nowhere among it.
pub(crate) fn in_place_of(
    name: &str,
    credential: &str,
    other_keys: &[String],
) -> Vec<(String, Bilingual)> {
    let mut all: Vec<(String, Bilingual)> = Vec::new();
    let mut add = |value: &str, indonesian: String, english: String| {
        if value != credential && all.iter().all(|(known, _)| known != value) {
            all.push((value.to_owned(), Bilingual::new(indonesian, english)));
        }
    };
    let bare = credential.trim();
    add(
        bare,
        format!("dihitung dengan {name} tanpa spasi di sekelilingnya"),
        format!("computed with the {name} without the blanks around it"),
    );
    for around in
        [format!("{bare}\n"), format!("{bare}\r\n"), format!("{bare} "), format!(" {bare}")]
    {
        add(
            &around,
            format!("{name} yang dipakai diapit spasi atau baris baru"),
            format!("the {name} that was used has a blank or a line break around it"),
        );
    }
    for (number, other) in (1..).zip(other_keys) {
        add(
            other,
            format!("kunci lain nomor {number} dipakai di tempat {name}"),
            format!("other key number {number} was used in place of the {name}"),
        );
    }
    add("", format!("{name} tidak ikut dihitung"), format!("the {name} was left out"));
    all
}

/// The mistakes of using something else in place of a credential.
pub(crate) fn misused<'a, Recipe>(
    name: &'static str,
    credential: &str,
    other_keys: &[String],
    set: impl Fn(&mut Recipe, &str) + Copy + 'a,
) -> Vec<Mistake<'a, Recipe>> {
    let mistake = |(value, told): (String, Bilingual)| {
        let make = Box::new(move |recipe: &mut Recipe| set(recipe, &value));
        Mistake { part: name, make, told }
    };
    in_place_of(name, credential, other_keys).into_iter().map(mistake).collect()
}
