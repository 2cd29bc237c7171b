//! The one way for a text into a page.

/// A text that means only itself in HTML, between tags as well as inside quoted attributes. What steers
/// terminals, or the direction of the writing, is left out: it could make one text look like another.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '`' => html.push_str("&#96;"),
            _ if character.is_control() || steers(character) => {}
            _ => html.push(character),
        }
    }
    html
}

/// The characters of Unicode that turn the direction of the writing around.
const fn steers(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_means_more_than_itself() {
        let table = [
            ("Toko Contoh", "Toko Contoh"),
            ("<script>alert('1')</script>", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"),
            ("\" onload=\"x", "&quot; onload=&quot;x"),
            ("a&amp;b", "a&amp;amp;b"),
            ("`${x}`", "&#96;${x}&#96;"),
            ("a\u{202e}b\nc\0", "abc"),
            ("é😀", "é😀"),
        ];
        for (text, expected) in table {
            assert_eq!(escaped(text), expected);
        }
    }

    fn meant(html: &str) -> String {
        html.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&#96;", "`")
            .replace("&amp;", "&")
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_place(text in "([<>&\"'`;#a-z3960]|\\PC|\\s){0,40}") {
            let html = escaped(&text);
            prop_assert!(!html.contains(['<', '>', '"', '\'', '`']));
            let kept: String =
                text.chars().filter(|it| !it.is_control() && !steers(*it)).collect();
            prop_assert_eq!(meant(&html), kept);
        }
    }
}
