//! Which names of a workspace something holds for: `.git/hooks`, `**/.env`, `*` within a name, and nothing else.
//!
//! Names are compared as the loosest file system would that a workspace may be copied to: without case (ext4 with `casefold`, macOS,
//! Windows), without characters that some of them leave out, and without what Windows cuts off a name's end.

/// Longest pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 256;
/// Most names in a pattern.
pub const PATTERN_NAMES_MAX: usize = 16;
/// At a pattern's beginning: in whatever folder.
const ANYWHERE: &str = "**/";

/// Names below a folder, from that folder or (`**/`) from any below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    is_anywhere: bool,
    /// Folded; `*` stands for any characters.
    names: Vec<String>,
}

/// Why a text is not a [`PathPattern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It has too many bytes or names.
    #[error("a pattern may have at most {PATTERN_BYTES_MAX} bytes and {PATTERN_NAMES_MAX} names")]
    TooLong,
    /// It starts at the root, or has an empty name.
    #[error("a pattern is relative to the workspace and has no empty name: write `docs/private` or `**/private`")]
    Name,
    /// It goes up or stays.
    #[error("a pattern may not have `.` or `..` as a name")]
    Dots,
    /// `**` stands somewhere else than at the beginning.
    #[error("`**/` may stand at a pattern's beginning only; within a name, `*` stands for any characters")]
    Stars,
    /// It has a character that is not printable ASCII, or one that looks like a pattern of another kind.
    #[error("a pattern holds printable ASCII characters without \\ ? [ ] {{ }} ! and :, and `*` for others")]
    Alphabet,
    /// A name ends in a way that is not compared.
    #[error("a name in a pattern may not end with a dot or a space: these are not compared")]
    End,
}

/// How a path stands to a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// It has nothing to do with it.
    Apart,
    /// It is a folder on the way to what the pattern names.
    Leads,
    /// It is what the pattern names, or lies below it.
    Covered,
}

impl PathPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// [`PatternError`] says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let rest = text.strip_prefix(ANYWHERE);
        let names: Vec<&str> = rest.unwrap_or(text).split('/').collect();
        if text.len() > PATTERN_BYTES_MAX || names.len() > PATTERN_NAMES_MAX {
            return Err(PatternError::TooLong);
        }
        for name in &names {
            check(name)?;
        }
        let names = names.into_iter().map(str::to_ascii_lowercase).collect();
        Ok(Self { text: text.to_owned(), is_anywhere: rest.is_some(), names })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it starts in whatever folder.
    pub fn is_anywhere(&self) -> bool {
        self.is_anywhere
    }

    /// Its first name, folded; none if that has a `*`.
    pub fn first(&self) -> Option<&str> {
        self.names.first().map(String::as_str).filter(|name| !name.contains('*'))
    }

    /// Its path from the folder, as it was written; none if it has a `*` (but `**/` counts as nothing).
    pub fn plain_path(&self) -> Option<&str> {
        let path = self.text.strip_prefix(ANYWHERE).unwrap_or(&self.text);
        Some(path).filter(|path| !path.contains('*'))
    }

    /// Its names as they were written, from the folder on (`**/` counts as nothing), up to the first with a `*`.
    pub fn written(&self) -> impl Iterator<Item = &str> {
        let path = self.text.strip_prefix(ANYWHERE).unwrap_or(&self.text);
        path.split('/').take_while(|name| !name.contains('*'))
    }

    /// The same for a folder that stands for its first names elsewhere: `count` of them are replaced by `names`, from the folder on.
    #[must_use]
    pub fn moved<N: AsRef<[u8]>>(&self, count: usize, names: impl IntoIterator<Item = N>) -> Self {
        let mut names: Vec<String> = names.into_iter().map(|name| fold_name(name.as_ref())).collect();
        names.extend(self.names.iter().skip(count).cloned());
        Self { text: names.join("/"), is_anywhere: false, names }
    }

    /// How a path (its names folded by [`fold_name`], from the pattern's folder) stands to the pattern.
    pub fn relation<N: AsRef<str>>(&self, path: &[N]) -> Relation {
        let starts = if self.is_anywhere { path.len() } else { 1 };
        (0..starts).map(|start| self.relation_from(path, start)).max().unwrap_or(Relation::Apart)
    }

    /// The same, for a pattern that is taken to start at the path's name with this number.
    pub fn relation_from<N: AsRef<str>>(&self, path: &[N], start: usize) -> Relation {
        let Some(path) = path.get(start..).filter(|path| !path.is_empty()) else { return Relation::Apart };
        let fits = |(pattern, name): (&String, &N)| {
            is_match(pattern.as_bytes(), name.as_ref().as_bytes()) || is_short_name(name.as_ref()) && is_short(pattern, name.as_ref())
        };
        if !self.names.iter().zip(path).all(fits) {
            Relation::Apart
        } else if path.len() < self.names.len() {
            Relation::Leads
        } else {
            Relation::Covered
        }
    }
}

fn check(name: &str) -> Result<(), PatternError> {
    match name {
        "" => return Err(PatternError::Name),
        "." | ".." => return Err(PatternError::Dots),
        _ => {}
    }
    if name.contains("**") {
        return Err(PatternError::Stars);
    }
    if !name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !br"\?[]{}!:".contains(&byte)) {
        return Err(PatternError::Alphabet);
    }
    if name.ends_with(['.', ' ']) { Err(PatternError::End) } else { Ok(()) }
}

/// Whether a name fits, `*` standing for any bytes. Takes the last `*` back first, so that it needs no memory.
fn is_match(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(at), name.get(from)) {
            (Some(b'*'), _) => {
                back = Some((at + 1, from));
                at += 1;
            }
            (Some(one), Some(other)) if one == other => (at, from) = (at + 1, from + 1),
            (None, None) => return true,
            _ => match back {
                Some((after, start)) if start < name.len() => {
                    back = Some((after, start + 1));
                    (at, from) = (after, start + 1);
                }
                _ => return false,
            },
        }
    }
}

/// Whether a name (folded) may be a short one (`GIT~1`), by which FAT and NTFS find a file that has another.
pub fn is_short_name(name: &str) -> bool {
    let behind = name.split_once('~').map(|(_, rest)| rest.split('.').next().unwrap_or_default());
    behind.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a short name may stand for a pattern's: six letters of it, or two and a checksum of four digits, and three of its ending.
fn is_short(pattern: &str, name: &str) -> bool {
    let bare = pattern.trim_start_matches('.');
    let (stem, ending) = bare.rsplit_once('.').unwrap_or((bare, ""));
    let (start, rest) = name.split_once('~').unwrap_or((name, ""));
    let short_ending = rest.split_once('.').map_or("", |(_, ending)| ending);
    let letters: String = stem.chars().filter(|letter| !matches!(letter, '.' | ' ')).collect();
    let six: String = letters.chars().take(6).collect();
    // What stands behind a `*` is not known.
    let known = |text: &str, short: &str| match text.split_once('*') {
        Some((before, _)) => short.starts_with(before),
        None => short == text,
    };
    let two = letters.get(..2).filter(|two| !two.contains('*'));
    let has_sum = start.len() == 6 && two.is_some_and(|two| start.starts_with(two)) && start.bytes().skip(2).all(|b| b.is_ascii_hexdigit());
    let three: String = ending.chars().take(3).collect();
    (known(&six, start) || has_sum) && known(&three, short_ending)
}

/// A name as patterns compare it: two names that some file system takes for one are equal.
pub fn fold_name(name: &[u8]) -> String {
    let whole =
        if name.is_ascii() { String::from_utf8_lossy(name).to_ascii_lowercase() } else { fold_other(&String::from_utf8_lossy(name)) };
    // Windows: what follows a colon is a stream of the same file, and dots and spaces at the end are cut off.
    let stem = whole.split(':').next().unwrap_or_default();
    stem.trim_end_matches(['.', ' ']).to_owned()
}

/// By capital letters first: `K` for Kelvin, the long `s` and joined letters then fold with the plain ones.
fn fold_other(name: &str) -> String {
    name.chars().filter(|letter| !is_ignorable(*letter)).flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// Characters that file systems with case folding leave out (Unicode: `Default_Ignorable_Code_Point`).
fn is_ignorable(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests;
