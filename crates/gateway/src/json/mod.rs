//! Lossless JSON (RFC 8259): a strict scanner that keeps the span of every string, key and number, and a rewriter that replaces
//! single values and leaves every other byte as it came.
//!
//! Stricter than the grammar where two readers of one text could differ: duplicate keys, lone surrogates, a byte order mark and
//! invalid UTF-8 are refused.

mod node;
mod scan;
#[cfg(test)]
mod tests;
mod text;

pub use node::{Members, Node, Nodes};
pub(crate) use text::decode_one;
pub use text::{decode, encode, encode_inner};

/// Most lexemes (values and keys) in one document; a body at its own bound holds fewer unless it is built to exhaust memory.
pub const LEXEMES_MAX: usize = 1 << 21;

/// Why a text is not JSON that every reader would read alike. Positions are byte offsets; content is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are not UTF-8.
    #[error("reading JSON: not UTF-8; send it as UTF-8 without a byte order mark")]
    Encoding,
    /// The grammar of RFC 8259 is broken.
    #[error("reading JSON: syntax error at byte {at}; send valid JSON")]
    Syntax {
        /// Where.
        at: usize,
    },
    /// Nesting is deeper than [`schema::bounds::JSON_DEPTH_MAX`].
    #[error("reading JSON: nested too deeply at byte {at}; send flatter JSON")]
    Depth {
        /// Where.
        at: usize,
    },
    /// An object has the same key twice.
    #[error("reading JSON: an object that starts at byte {at} has a key twice; send each key once")]
    DuplicateKey {
        /// Where the object starts.
        at: usize,
    },
    /// A `\u` escape names half of a surrogate pair.
    #[error("reading JSON: lone surrogate at byte {at}; send whole characters")]
    Surrogate {
        /// Where.
        at: usize,
    },
    /// More lexemes than [`LEXEMES_MAX`] or more bytes than positions can hold.
    #[error("reading JSON: more values than the bound; send less")]
    TooLarge,
}

/// What a lexeme is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// The name of an object's member.
    Key,
    /// A string value.
    String,
    /// A number.
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

/// One value or key: where it stands, and where the document goes on after it.
#[derive(Clone, Copy)]
struct Lexeme {
    kind: Kind,
    /// Whether a string or key has a backslash.
    escaped: bool,
    /// First byte, quotes included.
    start: u32,
    /// One past the last byte, quotes included.
    end: u32,
    /// Index of the first lexeme that is not inside this one.
    next: u32,
}

/// A scanned text. No `Debug`: it holds content.
#[expect(missing_debug_implementations, reason = "holds content, which is never printed")]
pub struct Document<'a> {
    text: &'a str,
    lexemes: Vec<Lexeme>,
}

impl<'a> Document<'a> {
    /// Scans `bytes` as one JSON value.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::parse_text(std::str::from_utf8(bytes).map_err(|_| Error::Encoding)?)
    }

    /// Scans `text` as one JSON value.
    pub fn parse_text(text: &'a str) -> Result<Self, Error> {
        Ok(Self { text, lexemes: scan::scan(text)? })
    }

    /// The outermost value.
    pub fn root(&self) -> Node<'_> {
        Node::new(self, 0)
    }

    /// Visits every string, key and number in the order of the text. Where `replace` answers with a text, a JSON string of it takes
    /// the token's place; everything else stays byte for byte. `None` when nothing was replaced.
    pub fn rewrite<E>(&self, replace: &mut dyn FnMut(Node<'_>) -> Result<Option<String>, E>) -> Result<Option<String>, E> {
        let mut out: Option<String> = None;
        let mut copied = 0;
        for (index, lexeme) in self.lexemes.iter().enumerate() {
            if !matches!(lexeme.kind, Kind::String | Kind::Key | Kind::Number) {
                continue;
            }
            if let Some(new) = replace(Node::new(self, index))? {
                let out = out.get_or_insert_with(|| String::with_capacity(self.text.len() + 256));
                out.push_str(self.text.get(copied..lexeme.start as usize).unwrap_or_default());
                encode(&new, out);
                copied = lexeme.end as usize;
            }
        }
        if let Some(out) = &mut out {
            out.push_str(self.text.get(copied..).unwrap_or_default());
        }
        Ok(out)
    }
}
