//! What a document may hold, as a table: the reader checks against it, and the reference is printed from it.

/// A table of the document: the whole document, `[limits]`, one `[[upstream]]`.
#[derive(Debug)]
pub struct Section {
    /// What it is for, in one or two sentences.
    pub summary: &'static str,
    /// The keys that it may hold; any other is refused.
    pub keys: &'static [Key],
}

/// One key of a [`Section`].
#[derive(Debug)]
pub struct Key {
    /// Its name, as written.
    pub name: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// Whether it must be there, and what holds if it is not.
    pub presence: Presence,
    /// A value, as written in TOML; empty for tables.
    pub example: &'static str,
    /// What it means.
    pub summary: &'static str,
}

/// Whether a key must be there.
#[derive(Debug)]
pub enum Presence {
    /// The document is refused without it.
    Required,
    /// This value, as written in TOML, holds when it is absent.
    Default(&'static str),
    /// What its absence means, in words.
    Optional(&'static str),
}

/// What a value looks like.
#[derive(Debug)]
pub enum Shape {
    /// A [`schema::Token`] of at most [`NAME_BYTES_MAX`] bytes.
    Name,
    /// Any text that is not empty.
    Text,
    /// An absolute path.
    Path,
    /// The name of an environment variable.
    Variable,
    /// A [`schema::PathPattern`].
    Pattern,
    /// `true` or `false`.
    Boolean,
    /// A whole number within bounds, both included.
    Integer {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// A number of bytes: a whole number, or text such as `"4 GiB"`.
    Bytes {
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A list of at most [`LIST_ITEMS_MAX`] values, none twice.
    List(&'static Shape),
    /// A table.
    Table(&'static Section),
    /// A list of tables, `[[name]]`, at most [`LIST_ITEMS_MAX`]; the value under `unique` differs in each.
    Tables {
        /// What each holds.
        section: &'static Section,
        /// The key that tells them apart.
        unique: &'static str,
    },
    /// A table of tables that all look the same, `[parent.name]`, for these names only.
    Named {
        /// The names.
        names: &'static [&'static str],
        /// What each holds.
        section: &'static Section,
    },
}

/// Longest name in a document, in bytes: rule ids are put together from several and must still be a token.
pub const NAME_BYTES_MAX: usize = 48;
/// Longest list in a document.
pub const LIST_ITEMS_MAX: usize = 256;

impl Shape {
    /// What the reader wanted, for people.
    pub fn wanted(&self) -> String {
        match self {
            Self::Name => format!("a name (letters, digits and . _ : @ / + ~ -, at most {NAME_BYTES_MAX} bytes)"),
            Self::Text => "text".to_owned(),
            Self::Path => "an absolute path, as text".to_owned(),
            Self::Variable => "the name of an environment variable (A-Z, 0-9 and _), as text".to_owned(),
            Self::Pattern => "a path below the workspace, as text, with `*` within a name and `**/` at the beginning".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Integer { least, most } => format!("a whole number from {least} to {most}"),
            Self::Bytes { least, most } => {
                format!("a number of bytes from {} to {}, such as \"64 MiB\"", super::bytes::text(*least), super::bytes::text(*most))
            }
            Self::OneOf(values) => format!("one of {}", quoted(values)),
            Self::List(item) => format!("a list, each item {}", item.wanted()),
            Self::Table(_) | Self::Named { .. } => "a table".to_owned(),
            Self::Tables { .. } => "a list of tables, each opened by [[…]]".to_owned(),
        }
    }
}

/// The values in double quotes, separated by commas.
pub(crate) fn quoted(values: &[&str]) -> String {
    values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(", ")
}

impl Section {
    /// The key of that name, if the section has it.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}
