//! Documents that people write: TOML with unknown keys refused and *all* errors at once, each with file, line and column.
//!
//! What a document may hold is a table of [`Section`]s; [`Document::parse`] checks every value against it, [`reference()`] prints it.

mod bytes;
mod check;
mod diagnostic;
mod reference;
mod shape;
mod suggest;
mod table;

pub use diagnostic::Diagnostic;
pub use reference::reference;
pub use shape::{Key, LIST_ITEMS_MAX, NAME_BYTES_MAX, Presence, Section, Shape};
pub use table::Table;

use std::cell::RefCell;
use std::ops::Range;
use toml::Spanned;
use toml::de::DeTable;

/// Largest document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;
/// Most errors reported at once.
pub const DIAGNOSTICS_MAX: usize = 100;

/// A document that was read and checked against its table.
#[derive(Debug)]
pub struct Document<'t> {
    complaints: Complaints<'t>,
    root: Spanned<DeTable<'t>>,
    section: &'static Section,
}

impl<'t> Document<'t> {
    /// Reads `text`; what is wrong is kept until [`Document::finish`], so that everything is reported at once.
    /// `file` is only a name for the messages.
    pub fn parse(file: &str, text: &'t str, section: &'static Section) -> Self {
        let complaints = Complaints { file: file.to_owned(), text, list: RefCell::default() };
        if text.len() > DOCUMENT_BYTES_MAX {
            complaints.add(0, format!("the document has more than {DOCUMENT_BYTES_MAX} bytes: split it"));
            return Self { complaints, root: Spanned::new(0..0, DeTable::new()), section };
        }
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            complaints.add(error.span().map_or(0, |span: Range<usize>| span.start), one_line(error.message()));
        }
        let check = check::Check { complaints: &complaints, missing_is_wrong: errors.is_empty() };
        check.table(root.get_ref(), 0..0, section);
        Self { complaints, root, section }
    }

    /// The document's top.
    pub fn root(&self) -> Table<'_> {
        Table::new(&self.complaints, Some(self.root.get_ref()), self.section, 0)
    }

    /// Everything that was found wrong, in the document's order.
    ///
    /// # Errors
    /// At least one diagnostic, at most [`DIAGNOSTICS_MAX`].
    pub fn finish(self) -> Result<(), Vec<Diagnostic>> {
        let mut list = self.complaints.list.into_inner();
        list.sort();
        list.dedup();
        list.truncate(DIAGNOSTICS_MAX);
        if list.is_empty() { Ok(()) } else { Err(list) }
    }
}

fn one_line(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join("; ")
}

/// What is wrong with one document.
#[derive(Debug)]
struct Complaints<'t> {
    file: String,
    text: &'t str,
    list: RefCell<Vec<Diagnostic>>,
}

impl Complaints<'_> {
    fn add(&self, offset: usize, message: String) {
        let (line, column) = diagnostic::position(self.text, offset);
        self.list.borrow_mut().push(Diagnostic { file: self.file.clone(), line, column, message });
    }

    fn line(&self, offset: usize) -> usize {
        diagnostic::position(self.text, offset).0
    }
}
