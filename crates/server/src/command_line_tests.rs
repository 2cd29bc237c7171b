//! What can be typed is understood, and what the pages say can be typed.

use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::*;

#[test]
fn the_commands_are_consistent() {
    CommandLine::command().debug_assert();
}

#[test]
fn words_and_durations_are_read_as_in_the_configuration() {
    let read = |arguments: &[&str]| CommandLine::try_parse_from(arguments);
    let read = read(&["lunas", "--iak-numbers", "old", "--answer-within", "300ms"]).unwrap();
    assert_eq!(read.sandbox.iak_numbers, IakNumbers::Old);
    assert_eq!(read.sandbox.answer_within, Duration::from_millis(300));
    assert_eq!(read.sandbox.call_within, Duration::from_secs(120));
    for wrong in [["lunas", "--iak-numbers", "newer"], ["lunas", "--answer-within", "25"]] {
        assert!(CommandLine::try_parse_from(wrong).is_err(), "{wrong:?}");
    }
}

/// The commands of a line of a shell, each as its words. Knows as much of a shell as the pages use:
/// quotes, `$(…)` in them, remarks, redirections, and what stands between two commands.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let (mut word, mut quote) = (String::new(), None);
    let end_word = |word: &mut String, commands: &mut Vec<Vec<String>>| {
        if !word.is_empty() {
            commands.last_mut().unwrap().push(std::mem::take(word));
        }
    };
    for letter in line.chars() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, '#') if word.is_empty() => break,
            (None, ' ') => end_word(&mut word, &mut commands),
            (None, '|' | '&' | ';' | '(' | ')' | '{' | '}') => {
                end_word(&mut word, &mut commands);
                commands.push(Vec::new());
            }
            _ => word.push(letter),
        }
    }
    end_word(&mut word, &mut commands);
    for words in &mut commands {
        let is_redirection = |it: &String| it.starts_with(['<', '>']) || it.starts_with("2>");
        if let Some(first) = words.iter().position(is_redirection) {
            words.truncate(first);
        }
        let is_assignment = |it: &String| it.contains('=') && it.starts_with("LUNAS_");
        let assignments = words.iter().take_while(|it| is_assignment(it)).count();
        words.drain(..assignments);
    }
    commands
}

/// The commands of this program in the blocks of a page.
fn typed(text: &str) -> Vec<Vec<String>> {
    let blocks = text.split("```").skip(1).step_by(2).map(|block| block.replace("\\\n", " "));
    let lines: Vec<String> =
        blocks.flat_map(|it| it.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let all = lines.iter().flat_map(|line| commands(line.trim_start()));
    let is_ours = |it: &Vec<String>| {
        // What stands for words that are typed elsewhere is looked at there.
        let is_whole = !it.iter().any(|word| word == "$@");
        is_whole && it.first().is_some_and(|it| it == "lunas" || it.ends_with("/lunas"))
    };
    all.filter(is_ours).collect()
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let operations = std::fs::read_dir(root.join("docs/operations")).unwrap();
    let mut pages: Vec<_> = operations.map(|it| it.unwrap().path()).collect();
    pages.retain(|it| it.extension().is_some_and(|it| it == "md"));
    pages.extend(["README.md", "README.id.md", "docs/sandbox.md"].map(|it| root.join(it)));
    pages
}

#[test]
fn every_command_on_the_pages_can_be_typed() {
    let mut count = 0;
    for page in pages() {
        for words in typed(&std::fs::read_to_string(&page).unwrap()) {
            count += 1;
            if let Err(error) = CommandLine::try_parse_from(&words)
                && error.use_stderr()
            {
                panic!("{}: {words:?}: {error}", page.display());
            }
        }
    }
    assert!(count > 50, "only {count} commands were found");
}

#[test]
fn a_line_is_split_as_a_shell_does() {
    let line =
        "LUNAS_LOG=debug lunas sign iak \"a b\" 'c|d' 2>log | curl -d @- x && ./new/lunas -h # e";
    let expected = [vec!["lunas", "sign", "iak", "a b", "c|d"], vec!["./new/lunas", "-h"]];
    assert_eq!(typed(&format!("```sh\n{line}\n```")), expected);
}
