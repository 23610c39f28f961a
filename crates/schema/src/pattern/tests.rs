use super::*;
use proptest::prelude::*;

fn relation(pattern: &str, path: &str) -> Relation {
    let names: Vec<String> = path.split('/').map(|name| fold_name(name.as_bytes())).collect();
    PathPattern::parse(pattern).unwrap().relation(&names)
}

#[test]
fn what_is_no_pattern_is_refused() {
    for (text, error) in [
        ("", PatternError::Name),
        ("/etc", PatternError::Name),
        ("a//b", PatternError::Name),
        ("a/", PatternError::Name),
        ("**/", PatternError::Name),
        ("../x", PatternError::Dots),
        ("a/./b", PatternError::Dots),
        ("a/**", PatternError::Stars),
        ("**", PatternError::Stars),
        ("a**b", PatternError::Stars),
        ("a?", PatternError::Alphabet),
        ("[ab]", PatternError::Alphabet),
        ("!a", PatternError::Alphabet),
        (r"a\b", PatternError::Alphabet),
        ("a:b", PatternError::Alphabet),
        ("stra\u{df}e", PatternError::Alphabet),
        ("a\0", PatternError::Alphabet),
        ("a.", PatternError::End),
        ("a /b", PatternError::End),
        (&"x".repeat(PATTERN_BYTES_MAX + 1), PatternError::TooLong),
        (&["a"; PATTERN_NAMES_MAX + 1].join("/"), PatternError::TooLong),
    ] {
        assert_eq!(PathPattern::parse(text), Err(error), "{text}");
    }
    for text in ["a", ".git/hooks", "**/.git/hooks", "*.pem", "**/.env.*", "a b/c"] {
        assert_eq!(PathPattern::parse(text).unwrap().as_str(), text);
    }
}

#[test]
fn a_pattern_covers_what_it_names_and_all_below() {
    for (pattern, path, expected) in [
        (".git/hooks", ".git/hooks", Relation::Covered),
        (".git/hooks", ".git/hooks/pre-commit", Relation::Covered),
        (".git/hooks", ".git", Relation::Leads),
        (".git/hooks", ".git/hooks2", Relation::Apart),
        (".git/hooks", "sub/.git/hooks", Relation::Apart),
        ("**/.git/hooks", "sub/deep/.git/hooks/x", Relation::Covered),
        ("**/.git/hooks", "sub/deep/.git", Relation::Leads),
        ("**/.git/hooks", ".git/.git", Relation::Leads),
        ("**/.git/hooks", "sub", Relation::Apart),
        ("**/.env", "a/.env", Relation::Covered),
        ("**/.env", "a/.envx", Relation::Apart),
        ("**/a/b", "a/a/b", Relation::Covered),
        ("*.pem", "key.pem", Relation::Covered),
        ("*.pem", "key.pem.txt", Relation::Apart),
        ("a*b*c", "aXbYbZc", Relation::Covered),
        ("a*b*c", "aXbYbZ", Relation::Apart),
        ("modules/*/config", "modules/x/config", Relation::Covered),
        ("modules/*/config", "modules/x", Relation::Leads),
    ] {
        assert_eq!(relation(pattern, path), expected, "{pattern} {path}");
    }
}

#[test]
fn names_that_some_file_system_takes_for_one_are_one() {
    for name in
        [".GIT", ".Git", ".git.", ".git ", ".git. .", ".git::$INDEX_ALLOCATION", ".g\u{200c}it", "\u{feff}.git", ".g\u{131}t", ".g\u{ad}it"]
    {
        assert_eq!(relation("**/.git/config", &format!("a/{name}/CONFIG")), Relation::Covered, "{name:?}");
    }
    // Kelvin, the long s, joined letters.
    assert_eq!(fold_name("hoo\u{212a}\u{17f}".as_bytes()), "hooks");
    assert_eq!(fold_name("con\u{fb01}g".as_bytes()), "config");
    // What is no text is compared byte by byte and fits no plain name.
    assert_eq!(relation("**/.env", ".env\u{fffd}"), Relation::Apart);
    assert_ne!(fold_name(b".en\xffv"), ".env");
}

#[test]
fn short_names_are_those_of_their_files() {
    for (pattern, path) in [
        ("**/.git/config", "a/GIT~1/config"),
        ("**/.git/config", "GI7EBA~1/config"),
        (".vscode", "VSCODE~2/tasks.json"),
        (".claude/settings*.json", "CLAUDE~1/SETTIN~1.JSO"),
        ("**/.env.local", "ENV~1.LOC"),
        (".mcp.json", "MCP~1.JSO"),
    ] {
        assert_eq!(relation(pattern, path), Relation::Covered, "{pattern} {path}");
    }
    for (pattern, path) in
        [(".git/config", "git~/config"), (".git/config", "gitx~1/config"), (".vscode", "vs~1"), (".mcp.json", "mcp~1.txt")]
    {
        assert_eq!(relation(pattern, path), Relation::Apart, "{pattern} {path}");
    }
}

#[test]
fn a_pattern_holds_where_a_link_leads_too() {
    let pattern = PathPattern::parse("**/.claude/settings*.json").unwrap();
    assert_eq!(pattern.written().collect::<Vec<_>>(), [".claude"]);
    let moved = pattern.moved(1, ["Shared", "claude"]);
    assert_eq!((moved.as_str(), moved.is_anywhere()), ("shared/claude/settings*.json", false));
    assert_eq!(moved.relation(&["shared", "claude", "settings.local.json"]), Relation::Covered);
    assert_eq!(moved.relation(&["x", "shared", "claude", "settings.json"]), Relation::Apart);
}

/// A text in another case, with characters that are not compared.
fn disguised(text: &'static str) -> impl Strategy<Value = String> {
    let letter =
        proptest::collection::vec((any::<bool>(), proptest::option::of(prop_oneof![Just('\u{200b}'), Just('\u{feff}')])), text.len());
    (letter, "[. ]{0,3}(:[a-z$]{0,4})?").prop_map(move |(letters, end)| {
        let mut name = String::new();
        for (letter, (is_upper, more)) in text.chars().zip(letters) {
            name.push(if is_upper { letter.to_ascii_uppercase() } else { letter });
            name.extend(more);
        }
        name + &end
    })
}

proptest! {
    #[test]
    fn a_disguised_name_is_covered_as_its_own(name in disguised(".vscode"), below in "[a-zA-Z0-9]{1,5}") {
        prop_assert_eq!(relation(".vscode", &format!("{name}/{below}")), Relation::Covered);
        prop_assert_eq!(relation("**/.vscode/tasks.json", &format!("x/{name}")), Relation::Leads);
    }

    #[test]
    fn folding_again_changes_nothing(name in proptest::collection::vec(any::<u8>(), 0..24)) {
        let folded = fold_name(&name);
        prop_assert_eq!(fold_name(folded.as_bytes()), folded);
    }

    #[test]
    fn folding_any_text_again_changes_nothing(name in "\\PC{0,12}") {
        let folded = fold_name(name.as_bytes());
        prop_assert_eq!(fold_name(folded.as_bytes()), folded);
    }
}
