use crate::detect::{card, email, iban, number::Number};
use crate::finding::{Finding, Sink, resolve};
use crate::{Error, bounds, text::Text};

/// Everything that finds sensitive values. Built once; clones share it.
#[derive(Clone, Debug)]
pub struct Detectors {}

impl Detectors {
    /// All detectors of this crate.
    pub fn standard() -> Self {
        Self {}
    }

    /// Adds to `out` what `text` holds: sorted, free of overlaps, on character boundaries. Takes time linear in the length of the text.
    pub fn find(&self, text: &str, out: &mut Vec<Finding>) -> Result<(), Error> {
        if text.len() > bounds::TEXT_BYTES_MAX {
            return Err(Error::TextTooLong { bytes: text.len(), max: bounds::TEXT_BYTES_MAX });
        }
        resolve(self.candidates(text)?, out);
        Ok(())
    }

    /// What the detectors propose, overlaps included.
    #[expect(clippy::unused_self, reason = "the keyword gate of the secrets comes next")]
    pub(crate) fn candidates(&self, text: &str) -> Result<Vec<Finding>, Error> {
        let mut sink = Sink::default();
        numbers_and_addresses(Text::new(text), &mut sink);
        let mut found = sink.finish()?;
        for finding in &mut found {
            finding.start = text.floor_char_boundary(finding.start);
            finding.end = text.ceil_char_boundary(finding.end);
        }
        Ok(found)
    }
}

/// One pass over the bytes: each first digit of a group and each `@` is looked at closely.
fn numbers_and_addresses(text: Text<'_>, sink: &mut Sink) {
    let mut previous = 0;
    for (place, byte) in text.bytes().iter().copied().enumerate() {
        if byte.is_ascii_digit() && !previous_is_digit(previous) {
            number(text, place, sink);
        } else if byte == b'@' {
            email::detect(text, place, sink);
        }
        previous = byte;
    }
}

fn previous_is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

fn number(text: Text<'_>, start: usize, sink: &mut Sink) {
    if text.before(start, 1).is_ascii_alphabetic() && text.before(start, 2).is_ascii_alphabetic() {
        iban::detect(text, start, sink);
    }
    if text.opens_number(start) {
        let number = Number::read(text, start);
        card::detect(text, start, &number, sink);
    }
}
