//! The scanner: one pass, no recursion, bounded depth.

use super::{Error, Kind, LEXEMES_MAX, Lexeme, text};
use schema::bounds::JSON_DEPTH_MAX;
use std::collections::HashSet;

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Value,
    /// A value or `]`.
    FirstItem,
    /// A key or `}`.
    FirstKey,
    Key,
    /// A comma or the container's end.
    After,
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    lexemes: Vec<Lexeme>,
    /// Indices of the open containers.
    open: Vec<usize>,
}

pub(super) fn scan(text: &str) -> Result<Vec<Lexeme>, Error> {
    if u32::try_from(text.len()).is_err() {
        return Err(Error::TooLarge);
    }
    let mut scanner =
        Scanner { text, bytes: text.as_bytes(), at: 0, lexemes: Vec::with_capacity(text.len() / 16 + 4), open: Vec::with_capacity(16) };
    scanner.run()?;
    Ok(scanner.lexemes)
}

impl Scanner<'_> {
    fn run(&mut self) -> Result<(), Error> {
        let mut state = State::Value;
        loop {
            self.skip_whitespace();
            if state == State::After && self.open.is_empty() {
                return if self.at == self.bytes.len() { Ok(()) } else { Err(self.syntax()) };
            }
            let byte = self.peek().ok_or(self.syntax())?;
            state = match (state, byte) {
                (State::FirstItem, b']') | (State::FirstKey, b'}') | (State::After, b'}' | b']') => self.close(byte)?,
                (State::FirstKey | State::Key, b'"') => {
                    self.string(Kind::Key)?;
                    self.skip_whitespace();
                    self.expect(b':')?;
                    State::Value
                }
                (State::Value | State::FirstItem, _) => self.value(byte)?,
                (State::After, b',') => {
                    self.at += 1;
                    if self.in_object() { State::Key } else { State::Value }
                }
                (State::FirstKey | State::Key | State::After, _) => return Err(self.syntax()),
            };
        }
    }

    fn value(&mut self, byte: u8) -> Result<State, Error> {
        match byte {
            b'{' => self.start(Kind::Object, State::FirstKey),
            b'[' => self.start(Kind::Array, State::FirstItem),
            b'"' => {
                self.string(Kind::String)?;
                Ok(State::After)
            }
            b't' => self.literal("true", Kind::True),
            b'f' => self.literal("false", Kind::False),
            b'n' => self.literal("null", Kind::Null),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(self.syntax()),
        }
    }

    fn start(&mut self, kind: Kind, state: State) -> Result<State, Error> {
        if self.open.len() >= JSON_DEPTH_MAX {
            return Err(Error::Depth { at: self.at });
        }
        self.open.push(self.lexemes.len());
        let start = self.at;
        self.at += 1;
        self.push(kind, start, false)?;
        Ok(state)
    }

    fn close(&mut self, byte: u8) -> Result<State, Error> {
        let wanted = if self.in_object() { b'}' } else { b']' };
        let index = self.open.pop().ok_or(self.syntax())?;
        if byte != wanted {
            return Err(self.syntax());
        }
        self.at += 1;
        let (end, next) = (position(self.at)?, position(self.lexemes.len())?);
        if let Some(container) = self.lexemes.get_mut(index) {
            container.end = end;
            container.next = next;
        }
        if byte == b'}' {
            self.refuse_duplicates(index)?;
        }
        Ok(State::After)
    }

    fn in_object(&self) -> bool {
        let container = self.open.last().and_then(|index| self.lexemes.get(*index));
        container.is_some_and(|container| container.kind == Kind::Object)
    }

    fn string(&mut self, kind: Kind) -> Result<(), Error> {
        let start = self.at;
        self.at += 1;
        let mut escaped = false;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let stop = memchr::memchr2(b'"', b'\\', rest).ok_or(Error::Syntax { at: self.bytes.len() })?;
            let plain = rest.get(..stop).unwrap_or_default();
            if plain.iter().any(|byte| *byte < 0x20) {
                return Err(self.syntax());
            }
            self.at += stop + 1;
            if rest.get(stop) == Some(&b'"') {
                return self.push(kind, start, escaped);
            }
            escaped = true;
            self.escape()?;
        }
    }

    /// Reads an escape whose backslash has been read.
    fn escape(&mut self) -> Result<(), Error> {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                let at = self.at;
                let unit = self.unit()?;
                if (0xDC00..0xE000).contains(&unit) {
                    return Err(Error::Surrogate { at });
                }
                if (0xD800..0xDC00).contains(&unit) {
                    let paired = self.text.get(self.at..self.at + 2) == Some("\\u");
                    self.at += 1;
                    if !paired || !(0xDC00..0xE000).contains(&self.unit()?) {
                        return Err(Error::Surrogate { at });
                    }
                }
                Ok(())
            }
            _ => Err(self.syntax()),
        }
    }

    /// Reads `uXXXX`.
    fn unit(&mut self) -> Result<u32, Error> {
        let unit = self.text.get(self.at + 1..self.at + 5).and_then(text::hex).ok_or(self.syntax())?;
        self.at += 5;
        Ok(unit)
    }

    fn number(&mut self) -> Result<State, Error> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.push(Kind::Number, start, false)?;
        Ok(State::After)
    }

    fn digits(&mut self) -> Result<(), Error> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.syntax()) } else { Ok(()) }
    }

    fn literal(&mut self, word: &str, kind: Kind) -> Result<State, Error> {
        let start = self.at;
        if self.bytes.get(start..start + word.len()) != Some(word.as_bytes()) {
            return Err(self.syntax());
        }
        self.at += word.len();
        self.push(kind, start, false)?;
        Ok(State::After)
    }

    fn push(&mut self, kind: Kind, start: usize, escaped: bool) -> Result<(), Error> {
        if self.lexemes.len() >= LEXEMES_MAX {
            return Err(Error::TooLarge);
        }
        let next = position(self.lexemes.len() + 1)?;
        self.lexemes.push(Lexeme { kind, escaped, start: position(start)?, end: position(self.at)?, next });
        Ok(())
    }

    /// Two readers may keep different ones of two members with the same name; content could hide in the other.
    fn refuse_duplicates(&self, object: usize) -> Result<(), Error> {
        const FEW: usize = 16;
        let mut few: [&str; FEW] = [""; FEW];
        let mut count = 0;
        let mut many: HashSet<std::borrow::Cow<'_, str>> = HashSet::new();
        let mut at = object + 1;
        let duplicate = || Error::DuplicateKey { at: self.lexemes.get(object).map_or(0, |lexeme| lexeme.start as usize) };
        while let Some(key) = self.lexemes.get(at) {
            let name = self.text.get(key.start as usize + 1..key.end as usize - 1).unwrap_or_default();
            let plain = !key.escaped && many.is_empty();
            if plain && count < FEW {
                if few.iter().take(count).any(|known| *known == name) {
                    return Err(duplicate());
                }
                if let Some(slot) = few.get_mut(count) {
                    *slot = name;
                }
                count += 1;
            } else {
                if many.is_empty() {
                    many.extend(few.iter().take(count).map(|name| std::borrow::Cow::Borrowed(*name)));
                }
                if !many.insert(if key.escaped { text::decode(name) } else { name.into() }) {
                    return Err(duplicate());
                }
            }
            at = self.lexemes.get(at + 1).map_or(usize::MAX, |value| value.next as usize);
        }
        Ok(())
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.peek() != Some(byte) {
            return Err(self.syntax());
        }
        self.at += 1;
        Ok(())
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn syntax(&self) -> Error {
        Error::Syntax { at: self.at }
    }
}

fn position(value: usize) -> Result<u32, Error> {
    u32::try_from(value).map_err(|_| Error::TooLarge)
}
