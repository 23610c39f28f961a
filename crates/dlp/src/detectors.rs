#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::detect::number::Number;
use crate::detect::secret::Secrets;
use crate::detect::{card, email, france, germany, iban, phone, united_kingdom, united_states};
use crate::finding::{Finding, Sink, resolve};
use crate::fold::Folded;
use crate::{Error, bounds, text::Text};

/// Everything that finds sensitive values. Built once; clones share it.
#[derive(Clone)]
pub struct Detectors {
    secrets: Arc<Secrets>,
}

impl Detectors {
    /// All detectors of this crate.
    pub fn standard() -> Self {
        Self { secrets: Arc::new(Secrets::new()) }
    }

    /// Adds to `out` what `text` holds: sorted, free of overlaps, on character boundaries. Takes time linear in the length of the text.
    pub fn find(&self, text: &str, out: &mut Vec<Finding>) -> Result<(), Error> {
        resolve(self.candidates(text)?, out);
        Ok(())
    }

    /// What the detectors propose, overlaps included.
    pub(crate) fn candidates(&self, text: &str) -> Result<Vec<Finding>, Error> {
        if text.len() > bounds::TEXT_BYTES_MAX {
            return Err(Error::TextTooLong { bytes: text.len(), max: bounds::TEXT_BYTES_MAX });
        }
        if !self.secrets.is_ready() {
            return Err(Error::Crashed);
        }
        let mut found = self.search(text)?;
        for folded in Folded::parts(text) {
            let hidden = self.search(&folded.text)?;
            found.extend(hidden.into_iter().map(|finding| {
                let (start, end) = folded.original(finding.start, finding.end);
                Finding { start, end, kind: finding.kind }
            }));
        }
        if found.len() > bounds::FINDINGS_MAX {
            return Err(Error::TooManyFindings { max: bounds::FINDINGS_MAX });
        }
        for finding in &mut found {
            finding.start = text.floor_char_boundary(finding.start);
            finding.end = text.ceil_char_boundary(finding.end);
        }
        Ok(found)
    }

    fn search(&self, text: &str) -> Result<Vec<Finding>, Error> {
        let mut sink = Sink::default();
        numbers_and_addresses(Text::new(text), &mut sink);
        self.secrets.detect(Text::new(text), &mut sink);
        sink.finish()
    }
}

impl std::fmt::Debug for Detectors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Detectors").finish_non_exhaustive()
    }
}

/// One pass over the bytes: each first digit of a group and each `@` is looked at closely.
fn numbers_and_addresses(text: Text<'_>, sink: &mut Sink) {
    let mut previous = 0_u8;
    for (place, byte) in text.bytes().iter().copied().enumerate() {
        if byte.is_ascii_digit() && !previous.is_ascii_digit() {
            number(text, place, sink);
        } else if byte == b'@' {
            email::detect(text, place, sink);
        }
        previous = byte;
    }
}

fn number(text: Text<'_>, start: usize, sink: &mut Sink) {
    if text.before(start, 1).is_ascii_alphabetic() && text.before(start, 2).is_ascii_alphabetic() {
        iban::detect(text, start, sink);
    }
    united_kingdom::detect_nino(text, start, sink);
    phone::detect(text, start, sink);
    if text.opens_number(start) {
        let number = Number::read(text, start);
        card::detect(text, start, &number, sink);
        united_states::detect(text, start, &number, sink);
        united_kingdom::detect_nhs(text, start, &number, sink);
        germany::detect_steuer_id(text, start, &number, sink);
        germany::detect_rvnr(text, start, sink);
        france::detect(text, start, sink);
    }
}
