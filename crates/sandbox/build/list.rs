//! Lists of system calls as text (`profiles/seccomp`): how they are read. Shared by the build and the tests; `profiles/README.md` has the
//! grammar.

use std::fmt;

/// Values of one test: a jump over all of them must fit into a byte.
pub(crate) const VALUES_MAX: usize = 200;
/// Arguments of a call.
const ARGUMENTS: u32 = 6;
/// Rules that are one word, with the variant of `Rule` that each stands for. A refusal needs no comment.
pub(crate) const WORDS: [(&str, &str); 10] = [
    ("allow", "Allow"),
    ("make", "Make"),
    ("connect", "Connect"),
    ("execute", "Execute"),
    ("trace", "Trace"),
    ("tell", "Tell"),
    ("watch", "Watch"),
    ("absent", "Absent"),
    ("refuse", "Refuse"),
    ("refuse-absent", "RefuseAbsent"),
];
/// Error numbers that a list may name.
const ERRORS: [(&str, i32); 1] = [("EACCES", 13)];

/// What is wrong with a list, and in which line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "line {}: {}", self.line, self.what)
    }
}

/// A call and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) rule: Rule,
    pub(crate) line: usize,
    pub(crate) why: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// One of [`WORDS`]: the variant's name.
    Word(&'static str),
    /// Opens a file; the number of the argument with the flags, if there is one.
    Open(Option<u32>),
    /// Changes names or attributes; where the warden does not do it, allowed if every test of one of the alternatives holds, or if there is none.
    Change(Vec<Vec<Test>>),
    /// Allowed if every test of one of the alternatives holds; else the list's own refusal, or an error number.
    When(Vec<Vec<Test>>, Option<i32>),
}

/// A test of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) argument: u32,
    pub(crate) mask: u32,
    pub(crate) kind: Kind,
    pub(crate) values: Vec<u32>,
    /// Why, for each value.
    pub(crate) whys: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The masked low half is one of the values.
    Is,
    /// Both halves are zero.
    Null,
}

/// A line without its comment.
struct Line<'t> {
    number: usize,
    is_indented: bool,
    words: Vec<&'t str>,
    why: &'t str,
}

impl Line<'_> {
    fn problem(&self, what: impl Into<String>) -> Problem {
        Problem { line: self.number, what: what.into() }
    }

    /// Refuses an allowance that does not say why.
    fn explained(&self) -> Result<(), Problem> {
        if self.why.is_empty() { Err(self.problem("say why, behind #")) } else { Ok(()) }
    }
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().zip(1..).filter_map(|(text, number)| {
        let (code, why) = text.split_once('#').unwrap_or((text, ""));
        let words: Vec<&str> = code.split_whitespace().collect();
        let is_indented = code.starts_with(' ');
        (!words.is_empty()).then_some(Line { number, is_indented, words, why: why.trim() })
    })
}

/// Reads a list.
pub(crate) fn parse(text: &str) -> Result<Vec<Entry>, Problem> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in lines(text) {
        if line.is_indented || line.words == ["either"] {
            match entries.last_mut() {
                Some(Entry { rule: Rule::When(alternatives, _) | Rule::Change(alternatives), .. }) if !alternatives.is_empty() => {
                    continue_entry(&line, alternatives)?;
                }
                _ => return Err(line.problem("stands below no line with `when`")),
            }
            continue;
        }
        if let Some(before) = entries.last() {
            complete(before)?;
        }
        let rule = rule(&line)?;
        if !matches!(rule, Rule::Word("Refuse" | "RefuseAbsent")) {
            line.explained()?;
        }
        let name = line.words.first().copied().unwrap_or_default().to_owned();
        entries.push(Entry { name, rule, line: line.number, why: line.why.to_owned() });
    }
    entries.last().map_or(Ok(()), complete)?;
    Ok(entries)
}

fn rule(line: &Line<'_>) -> Result<Rule, Problem> {
    match line.words.get(1..).unwrap_or_default() {
        ["when"] => Ok(Rule::When(vec![Vec::new()], None)),
        ["when", "else", name] => {
            let found = ERRORS.iter().find(|(known, _)| known == name);
            let (_, errno) = found.ok_or_else(|| line.problem(format!("{name} is not a known error")))?;
            Ok(Rule::When(vec![Vec::new()], Some(*errno)))
        }
        ["change"] => Ok(Rule::Change(Vec::new())),
        ["change", "when"] => Ok(Rule::Change(vec![Vec::new()])),
        ["open"] => Ok(Rule::Open(None)),
        ["open", "flags", text] => argument(line, text).map(|argument| Rule::Open(Some(argument))),
        [word] => {
            let found = WORDS.iter().find(|(known, _)| known == word);
            found.map(|(_, variant)| Rule::Word(variant)).ok_or_else(|| line.problem(format!("{word} is not a rule")))
        }
        _ => Err(line.problem("a line is a call and its rule")),
    }
}

/// A line that belongs to the entry above it: a test, more values, another alternative.
fn continue_entry(line: &Line<'_>, alternatives: &mut Vec<Vec<Test>>) -> Result<(), Problem> {
    line.explained()?;
    if !line.is_indented {
        alternatives.push(Vec::new());
        return Ok(());
    }
    let Some(tests) = alternatives.last_mut() else { return Err(line.problem("a test of nothing")) };
    if let ["or", texts @ ..] = line.words.as_slice() {
        let Some(last) = tests.last_mut() else { return Err(line.problem("`or` stands below no test")) };
        for text in texts {
            last.values.push(number(line, text)?);
            last.whys.push(line.why.to_owned());
        }
        return Ok(());
    }
    tests.push(condition(line)?);
    Ok(())
}

fn condition(line: &Line<'_>) -> Result<Test, Problem> {
    let (argument_text, mask, kind, texts): (_, _, _, &[&str]) = match line.words.as_slice() {
        [argument, "is", "null"] => (argument, u32::MAX, Kind::Null, &[]),
        [argument, "is", values @ ..] => (argument, u32::MAX, Kind::Is, values),
        [argument, "&", mask, "is", values @ ..] => (argument, number(line, mask)?, Kind::Is, values),
        _ => return Err(line.problem("a test is `ARGUMENT is VALUE`, `ARGUMENT & MASK is VALUE` or `ARGUMENT is null`")),
    };
    let values = texts.iter().map(|text| number(line, text)).collect::<Result<Vec<_>, _>>()?;
    let whys = vec![line.why.to_owned(); values.len()];
    Ok(Test { argument: argument(line, argument_text)?, mask, kind, values, whys })
}

/// Refuses an entry whose tests do not say anything.
fn complete(entry: &Entry) -> Result<(), Problem> {
    let (Rule::When(alternatives, _) | Rule::Change(alternatives)) = &entry.rule else { return Ok(()) };
    let problem = |what: &str| Err(Problem { line: entry.line, what: format!("{} {what}", entry.name) });
    if alternatives.iter().any(Vec::is_empty) {
        return problem("has an alternative without a test");
    }
    for condition in alternatives.iter().flatten() {
        if condition.values.len() > VALUES_MAX || (condition.values.is_empty() && condition.kind != Kind::Null) {
            return problem("has a test with no value or too many");
        }
        if condition.values.iter().any(|value| value & !condition.mask != 0) {
            return problem("has a value with bits that its mask hides");
        }
    }
    Ok(())
}

fn argument(line: &Line<'_>, text: &str) -> Result<u32, Problem> {
    number(line, text).ok().filter(|argument| *argument < ARGUMENTS).ok_or_else(|| line.problem("an argument is 0 to 5"))
}

/// A number, decimal, `0x…` or `0o…`; `~` turns every bit round.
fn number(line: &Line<'_>, text: &str) -> Result<u32, Problem> {
    let (inverted, digits) = text.strip_prefix('~').map_or((false, text), |rest| (true, rest));
    let read = match (digits.strip_prefix("0x"), digits.strip_prefix("0o")) {
        (Some(digits), _) => u32::from_str_radix(digits, 16),
        (_, Some(digits)) => u32::from_str_radix(digits, 8),
        _ => digits.parse(),
    };
    let value = read.map_err(|_| line.problem(format!("{text} is not a number of 32 bits")))?;
    Ok(if inverted { !value } else { value })
}

/// A call's numbers: x86-64, aarch64; none where there is no such call.
pub(crate) type Numbers = (String, [Option<u32>; 2]);

/// Reads the table of numbers.
pub(crate) fn numbers(text: &str) -> Result<Vec<Numbers>, Problem> {
    let read = |line: &Line<'_>, text: &str| if text == "-" { Ok(None) } else { number(line, text).map(Some) };
    let row = |line: Line<'_>| match line.words.as_slice() {
        [name, first, second] => Ok(((*name).to_owned(), [read(&line, first)?, read(&line, second)?])),
        _ => Err(line.problem("a line is a name and two numbers")),
    };
    lines(text).map(row).collect()
}
