use super::{Document, Kind, Lexeme, text};
use std::borrow::Cow;

/// One value (or key) of a [`Document`].
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "shows content, which is never printed")]
pub struct Node<'d> {
    document: &'d Document<'d>,
    index: usize,
}

impl<'d> Node<'d> {
    pub(super) fn new(document: &'d Document<'_>, index: usize) -> Self {
        Self { document, index }
    }

    fn lexeme(self) -> Lexeme {
        let null = Lexeme { kind: Kind::Null, escaped: false, start: 0, end: 0, next: u32::MAX };
        self.document.lexemes.get(self.index).copied().unwrap_or(null)
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        self.lexeme().kind
    }

    /// Its position among the lexemes of its document; grows with the text.
    pub fn index(self) -> usize {
        self.index
    }

    /// The decoded key whose value this is, if it is a member of an object.
    pub fn key(self) -> Option<Cow<'d, str>> {
        let before = Self { index: self.index.checked_sub(1)?, ..self };
        if self.kind() != Kind::Key && before.kind() == Kind::Key { before.text() } else { None }
    }

    /// The lexeme index after everything inside this one.
    pub fn next(self) -> usize {
        self.lexeme().next as usize
    }

    /// Its bytes in the text, quotes and brackets included.
    pub fn span(self) -> std::ops::Range<usize> {
        let lexeme = self.lexeme();
        lexeme.start as usize..lexeme.end as usize
    }

    /// The text as it stands, quotes and brackets included.
    pub fn raw(self) -> &'d str {
        self.document.text.get(self.span()).unwrap_or_default()
    }

    /// The decoded content of a string or key.
    pub fn text(self) -> Option<Cow<'d, str>> {
        let lexeme = self.lexeme();
        if !matches!(lexeme.kind, Kind::String | Kind::Key) {
            return None;
        }
        let raw = self.raw();
        let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
        Some(if lexeme.escaped { text::decode(inner) } else { Cow::Borrowed(inner) })
    }

    /// Whether it is a string with exactly this content.
    pub fn is(self, content: &str) -> bool {
        self.text().is_some_and(|text| text == content)
    }

    /// `true` or `false`.
    pub fn boolean(self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            Kind::Object | Kind::Array | Kind::Key | Kind::String | Kind::Number | Kind::Null => None,
        }
    }

    /// A whole number without sign, fraction or exponent.
    pub fn integer(self) -> Option<u64> {
        if self.kind() == Kind::Number { self.raw().parse().ok() } else { None }
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Whether it is an array or object without anything in it.
    pub fn is_empty(self) -> bool {
        matches!(self.kind(), Kind::Array | Kind::Object) && self.next() == self.index + 1
    }

    /// The elements of an array; nothing for other kinds.
    pub fn items(self) -> Nodes<'d> {
        let end = if self.kind() == Kind::Array { self.next() } else { 0 };
        Nodes { document: self.document, at: self.index + 1, end }
    }

    /// The members of an object; nothing for other kinds.
    pub fn members(self) -> Members<'d> {
        let end = if self.kind() == Kind::Object { self.next() } else { 0 };
        Members { document: self.document, at: self.index + 1, end }
    }

    /// The member of that name.
    pub fn get(self, name: &str) -> Option<Node<'d>> {
        self.members().find(|(key, _)| key.is(name)).map(|(_, value)| value)
    }
}

/// The elements of an array.
#[expect(missing_debug_implementations, reason = "shows content, which is never printed")]
pub struct Nodes<'d> {
    document: &'d Document<'d>,
    at: usize,
    end: usize,
}

impl<'d> Iterator for Nodes<'d> {
    type Item = Node<'d>;
    fn next(&mut self) -> Option<Node<'d>> {
        if self.at >= self.end {
            return None;
        }
        let node = Node::new(self.document, self.at);
        self.at = node.next();
        Some(node)
    }
}

/// The members of an object: key and value.
#[expect(missing_debug_implementations, reason = "shows content, which is never printed")]
pub struct Members<'d> {
    document: &'d Document<'d>,
    at: usize,
    end: usize,
}

impl<'d> Iterator for Members<'d> {
    type Item = (Node<'d>, Node<'d>);
    fn next(&mut self) -> Option<(Node<'d>, Node<'d>)> {
        if self.at >= self.end {
            return None;
        }
        let key = Node::new(self.document, self.at);
        let value = Node::new(self.document, self.at + 1);
        self.at = value.next();
        Some((key, value))
    }
}
