use super::Complaints;
use super::check::{byte_count, integer};
use super::shape::{Section, Shape};
use schema::{PathPattern, Token};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table of a checked document. A value that is absent or was already complained about reads as `None`.
#[derive(Clone, Copy, Debug)]
pub struct Table<'d> {
    complaints: &'d Complaints<'d>,
    values: Option<&'d DeTable<'d>>,
    section: &'static Section,
    at: usize,
}

impl<'d> Table<'d> {
    pub(super) fn new(complaints: &'d Complaints<'d>, values: Option<&'d DeTable<'d>>, section: &'static Section, at: usize) -> Self {
        Self { complaints, values, section, at }
    }

    fn value(&self, name: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        debug_assert!(self.section.key(name).is_some(), "the reader asks for `{name}`, which its table does not list");
        self.values?.get(name)
    }

    /// Whether the document has the key, right or wrong.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&'d str> {
        self.value(name)?.get_ref().as_str()
    }

    /// A name.
    pub fn name(&self, name: &str) -> Option<Token> {
        Token::parse(self.text(name)?).ok()
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> Option<u64> {
        integer(self.value(name)?.get_ref())
    }

    /// A number of bytes.
    pub fn bytes(&self, name: &str) -> Option<u64> {
        byte_count(self.value(name)?.get_ref())
    }

    /// Yes or no.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.value(name)?.get_ref().as_bool()
    }

    /// A list of texts.
    pub fn list(&self, name: &str) -> Option<Vec<&'d str>> {
        let items = self.value(name)?.get_ref().as_array()?;
        Some(items.iter().filter_map(|item| item.get_ref().as_str()).collect())
    }

    /// A list of patterns.
    pub fn patterns(&self, name: &str) -> Option<Vec<PathPattern>> {
        Some(self.list(name)?.into_iter().filter_map(|text| PathPattern::parse(text).ok()).collect())
    }

    /// The table under `name`; an empty one if it is absent.
    ///
    /// For a table of tables that look the same, every table under it is reached with [`Table::named`].
    #[must_use]
    pub fn table(&self, name: &str) -> Table<'d> {
        let (values, at) = self.inner(name);
        let section = match self.section.key(name).map(|key| &key.shape) {
            Some(Shape::Table(section) | Shape::Named { section, .. }) => section,
            Some(_) | None => self.section,
        };
        Table { complaints: self.complaints, values, section, at }
    }

    /// The table `[group.name]` of a group of tables that look the same; `None` if it is absent.
    pub fn named(&self, group: &str, name: &str) -> Option<Table<'d>> {
        let inner = self.table(group);
        let (key, value) = inner.values?.get_key_value(name)?;
        let table = value.get_ref().as_table()?;
        Some(Table { complaints: self.complaints, values: Some(table), section: inner.section, at: key.span().start })
    }

    /// The tables under `[[name]]`, in their order.
    pub fn tables(&self, name: &str) -> Vec<Table<'d>> {
        let Some(Shape::Tables { section, .. }) = self.section.key(name).map(|key| &key.shape) else { return Vec::new() };
        let items = self.value(name).and_then(|value| value.get_ref().as_array());
        let tables = items.into_iter().flat_map(|items| items.iter()).filter_map(|item| {
            let table = item.get_ref().as_table()?;
            Some(Table { complaints: self.complaints, values: Some(table), section, at: item.span().start })
        });
        tables.collect()
    }

    fn inner(&self, name: &str) -> (Option<&'d DeTable<'d>>, usize) {
        match self.value(name) {
            Some(value) => (value.get_ref().as_table(), value.span().start),
            None => (None, self.at),
        }
    }

    /// Says what is wrong with the value of `name`, or with the table if it has none.
    pub fn complain(&self, name: &str, message: impl Into<String>) {
        let at = self.value(name).map_or(self.at, |value| value.span().start);
        self.complaints.add(at, message.into());
    }

    /// Says what is wrong with the item number `index` (from 0) of the list under `name`.
    pub fn complain_item(&self, name: &str, index: usize, message: impl Into<String>) {
        let list = self.value(name).and_then(|value| value.get_ref().as_array());
        let at = list.and_then(|items| items.get(index)).map_or(self.at, |item| item.span().start);
        self.complaints.add(at, message.into());
    }
}
