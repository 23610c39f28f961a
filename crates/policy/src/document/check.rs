//! Checks every value of a document against its table, and complains about each that does not fit.

use super::shape::{Key, LIST_ITEMS_MAX, NAME_BYTES_MAX, Presence, Section, Shape, quoted};
use super::{Complaints, bytes, suggest};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Keys under which people write secrets.
const SECRET_KEYS: [&str; 11] =
    ["key", "api_key", "apikey", "token", "auth_token", "bearer", "secret", "password", "passphrase", "authorization", "credentials"];

pub(super) struct Check<'c> {
    pub complaints: &'c Complaints<'c>,
    /// After a syntax error, keys may be missing only because they could not be read.
    pub missing_is_wrong: bool,
}

impl Check<'_> {
    pub(super) fn table(&self, table: &DeTable<'_>, at: Range<usize>, section: &'static Section) {
        for (name, value) in table {
            match section.key(name.get_ref()) {
                Some(key) => self.value(value, key, &key.shape),
                None => self.unknown(name.get_ref(), name.span(), section.keys.iter().map(|key| key.name)),
            }
        }
        for key in section.keys.iter().filter(|key| matches!(key.presence, Presence::Required)) {
            if self.missing_is_wrong && table.get(key.name).is_none() {
                let hint = if key.example.is_empty() { String::new() } else { format!(", for example {} = {}", key.name, key.example) };
                self.complaints.add(at.start, format!("`{}` is missing: add it{hint}", key.name));
            }
        }
    }

    fn unknown<'k>(&self, name: &str, at: Range<usize>, known: impl Iterator<Item = &'k str> + Clone) {
        if SECRET_KEYS.contains(&name) {
            let advice = "secrets are never written into a file like this: give key_file = \"/path\" or key_env = \"NAME\" instead";
            self.complaints.add(at.start, advice.to_owned());
            return;
        }
        let advice = match suggest::nearest(name, known.clone()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known here: {}", known.collect::<Vec<_>>().join(", ")),
        };
        let shown: String = name.chars().take(NAME_BYTES_MAX).filter(|c| !c.is_control()).collect();
        self.complaints.add(at.start, format!("unknown key `{shown}`; {advice}"));
    }

    fn value(&self, value: &Spanned<DeValue<'_>>, key: &'static Key, shape: &'static Shape) {
        match (shape, value.get_ref()) {
            (Shape::Table(section), DeValue::Table(table)) => self.table(table, value.span(), section),
            (Shape::Named { names, section }, DeValue::Table(table)) => {
                for (name, value) in table {
                    match (names.contains(&name.get_ref().as_ref()), value.get_ref()) {
                        (false, _) => self.unknown(name.get_ref(), name.span(), names.iter().copied()),
                        (true, DeValue::Table(table)) => self.table(table, name.span(), section),
                        (true, other) => self.wrong_type(value.span(), name.get_ref(), "a table", other),
                    }
                }
            }
            (Shape::Tables { section, unique }, DeValue::Array(items)) => self.tables(items, key, section, unique),
            (Shape::List(item), DeValue::Array(items)) => self.list(items, key, item, value.span()),
            (shape, value_here) if is_type(shape, value_here) => {
                if let Some(wrong) = wrong_value(shape, value_here) {
                    self.complaints.add(value.span().start, format!("`{}` {wrong}", key.name));
                }
            }
            (shape, other) => self.wrong_type(value.span(), key.name, &shape.wanted(), other),
        }
    }

    fn wrong_type(&self, at: Range<usize>, name: &str, wanted: &str, found: &DeValue<'_>) {
        self.complaints.add(at.start, format!("`{name}` must be {wanted}, but this is {}", type_name(found)));
    }

    fn tables(&self, items: &[Spanned<DeValue<'_>>], key: &'static Key, section: &'static Section, unique: &str) {
        let mut seen = BTreeMap::new();
        for item in items.iter().take(LIST_ITEMS_MAX) {
            let DeValue::Table(table) = item.get_ref() else {
                self.wrong_type(item.span(), key.name, &key.shape.wanted(), item.get_ref());
                continue;
            };
            self.table(table, item.span(), section);
            let Some(value) = table.get(unique) else { continue };
            let Some(text) = value.get_ref().as_str() else { continue };
            if let Some(first) = seen.insert(text.to_owned(), value.span().start) {
                let line = self.complaints.line(first);
                self.complaints
                    .add(value.span().start, format!("`{unique}` is used twice: it names another [[{}]] on line {line}", key.name));
            }
        }
        self.bound(items, key);
    }

    fn list(&self, items: &[Spanned<DeValue<'_>>], key: &'static Key, shape: &'static Shape, at: Range<usize>) {
        let mut seen = BTreeSet::new();
        for item in items.iter().take(LIST_ITEMS_MAX) {
            self.value(item, key, shape);
            let Some(text) = item.get_ref().as_str() else { continue };
            if !seen.insert(text) {
                self.complaints.add(item.span().start, format!("`{}` lists this twice: remove one", key.name));
            }
        }
        if items.len() > LIST_ITEMS_MAX {
            self.complaints.add(at.start, format!("`{}` has more than {LIST_ITEMS_MAX} items", key.name));
        }
    }

    fn bound(&self, items: &[Spanned<DeValue<'_>>], key: &'static Key) {
        if let Some(item) = items.get(LIST_ITEMS_MAX) {
            self.complaints.add(item.span().start, format!("more than {LIST_ITEMS_MAX} [[{}]]", key.name));
        }
    }
}

fn is_type(shape: &Shape, value: &DeValue<'_>) -> bool {
    match shape {
        Shape::Name | Shape::Text | Shape::Path | Shape::Variable | Shape::Pattern | Shape::OneOf(_) => matches!(value, DeValue::String(_)),
        Shape::Boolean => matches!(value, DeValue::Boolean(_)),
        Shape::Integer { .. } => matches!(value, DeValue::Integer(_)),
        Shape::Bytes { .. } => matches!(value, DeValue::Integer(_) | DeValue::String(_)),
        Shape::List(_) | Shape::Table(_) | Shape::Tables { .. } | Shape::Named { .. } => false,
    }
}

/// Why a value of the right type is wrong, if it is. Only values from closed lists are repeated in the message.
fn wrong_value(shape: &Shape, value: &DeValue<'_>) -> Option<String> {
    let text = value.as_str();
    let must = |right: bool| (!right).then(|| format!("must be {}", shape.wanted()));
    match shape {
        Shape::Name => must(text.is_some_and(is_name)),
        Shape::Text => must(text.is_some_and(|text| !text.trim().is_empty())),
        Shape::Path => must(text.is_some_and(|text| text.starts_with('/') && !text.contains('\0'))),
        Shape::Variable => must(text.is_some_and(is_variable)),
        Shape::Pattern => {
            text.and_then(|text| schema::PathPattern::parse(text).err()).map(|error| format!("must be another pattern: {error}"))
        }
        Shape::Integer { least, most } => must(integer(value).is_some_and(|number| (*least..=*most).contains(&number))),
        Shape::Bytes { least, most } => must(byte_count(value).is_some_and(|number| (*least..=*most).contains(&number))),
        Shape::OneOf(values) => text.filter(|text| !values.contains(text)).map(|text| wrong_choice(text, values)),
        Shape::Boolean | Shape::List(_) | Shape::Table(_) | Shape::Tables { .. } | Shape::Named { .. } => None,
    }
}

fn wrong_choice(text: &str, values: &[&str]) -> String {
    let meant = suggest::nearest(text, values.iter().copied());
    let hint = meant.map_or_else(String::new, |meant| format!(" (did you mean \"{meant}\"?)"));
    format!("must be one of {}{hint}", quoted(values))
}

fn is_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX && schema::Token::parse(text).is_ok()
}

fn is_variable(text: &str) -> bool {
    let head = text.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase() || byte == b'_');
    head && text.len() <= NAME_BYTES_MAX * 2 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

pub(super) fn integer(value: &DeValue<'_>) -> Option<u64> {
    let number = value.as_integer()?;
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}

pub(super) fn byte_count(value: &DeValue<'_>) -> Option<u64> {
    value.as_str().map_or_else(|| integer(value), bytes::parse)
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
