use super::repository::Error;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// What a Rust file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Shipped.
    Product,
    /// Unit tests, integration tests.
    Test,
    /// Examples, benchmarks, fuzz targets.
    Example,
    /// The repository's own chores.
    Chore,
}

/// A Rust file, read as tokens: comments are gone, macros are looked into.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) purpose: Purpose,
    pub(super) line_count: usize,
    pub(super) functions: Vec<Function>,
    pub(super) words: Vec<Word>,
}

/// A function with a body.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) line_last: usize,
    /// Its tokens, spelled in one way.
    pub(super) body: String,
    pub(super) body_line_count: usize,
}

/// One token that rules look at, with what follows it directly.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) line: usize,
    /// The character before it, if punctuation.
    pub(super) before: Option<char>,
    /// The character after it, if punctuation or the opening of a group.
    pub(super) after: Option<char>,
    /// The next identifier, if it follows directly.
    pub(super) next: Option<String>,
}

impl Source {
    pub(super) fn read(path: &str, text: &str) -> Result<Self, Error> {
        let stream: TokenStream = text.parse().map_err(|error| Error::Source(path.to_owned(), format!("{error}")))?;
        let mut source = Self {
            path: path.to_owned(),
            purpose: purpose(path),
            line_count: text.lines().count(),
            functions: Vec::new(),
            words: Vec::new(),
        };
        source.walk(stream);
        Ok(source)
    }

    /// The crate it belongs to, by its folder.
    pub(super) fn room(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    fn walk(&mut self, stream: TokenStream) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        for (index, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.walk(group.stream()),
                TokenTree::Ident(ident) => {
                    let before = index.checked_sub(1).and_then(|index| tokens.get(index)).and_then(mark);
                    let following = tokens.get(index + 1);
                    let next = following.and_then(|token| if let TokenTree::Ident(next) = token { Some(next.to_string()) } else { None });
                    let line = ident.span().start().line;
                    if ident == "fn"
                        && let Some(name) = &next
                    {
                        self.function(name, line, tokens.get(index + 2..).unwrap_or_default());
                    }
                    self.words.push(Word { text: ident.to_string(), line, before, after: following.and_then(mark), next });
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    fn function(&mut self, name: &str, line: usize, rest: &[TokenTree]) {
        let is_end = |token: &&TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ';') || body(token).is_some();
        let Some(group) = rest.iter().find(is_end).and_then(body) else { return };
        let line_last = group.span_close().start().line;
        let body_line_count = (line_last - group.span_open().start().line).saturating_sub(1);
        self.functions.push(Function { name: name.to_owned(), line, line_last, body: group.stream().to_string(), body_line_count });
    }
}

fn body(token: &TokenTree) -> Option<&Group> {
    if let TokenTree::Group(group) = token { (group.delimiter() == Delimiter::Brace).then_some(group) } else { None }
}

fn mark(token: &TokenTree) -> Option<char> {
    match token {
        TokenTree::Punct(mark) => Some(mark.as_char()),
        TokenTree::Group(group) => match group.delimiter() {
            Delimiter::Parenthesis => Some('('),
            Delimiter::Brace => Some('{'),
            Delimiter::Bracket => Some('['),
            Delimiter::None => None,
        },
        TokenTree::Ident(_) | TokenTree::Literal(_) => None,
    }
}

fn purpose(path: &str) -> Purpose {
    let parts: Vec<&str> = path.split('/').collect();
    if parts.iter().any(|part| ["tests", "tests.rs"].contains(part)) {
        Purpose::Test
    } else if parts.first() == Some(&"xtask") {
        Purpose::Chore
    } else if parts.iter().any(|part| ["examples", "benches", "fuzz", "build.rs"].contains(part)) {
        Purpose::Example
    } else {
        Purpose::Product
    }
}
