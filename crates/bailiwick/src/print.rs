//! Standard output and error. A reader that went away is no failure: what was asked for has been done.
use std::io::Write;

/// A line for the user.
pub(crate) fn line(text: impl std::fmt::Display) {
    let _gone = writeln!(std::io::stdout(), "{text}");
}

/// Text for the user, as it is.
pub(crate) fn text(text: &str) {
    let _gone = std::io::stdout().write_all(text.as_bytes());
}

/// A message beside the output.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _gone = writeln!(std::io::stderr(), "{text}");
}

/// A value as JSON, for machines.
pub(crate) fn json(value: &impl serde::Serialize) {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| "null".to_owned());
    line(text);
}

/// Whether the user's terminal shows colours.
pub(crate) fn colours() -> bool {
    rustix::termios::isatty(std::io::stdout())
}

/// How far something is, on one line of a terminal that the next call writes over.
pub(crate) fn progress(text: impl std::fmt::Display, is_last: bool) {
    let _gone = write!(std::io::stderr(), "\r{text}{}", if is_last { "\n" } else { "" });
}

/// A question; the answer is typed behind it.
pub(crate) fn question(text: impl std::fmt::Display) {
    let _gone = write!(std::io::stderr(), "{text}");
}
