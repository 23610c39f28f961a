use std::panic::{AssertUnwindSafe, catch_unwind};

use schema::{Classified, DataClass, DataClasses};

use crate::{Detectors, Error, MaskReport, Vault};

/// What masks one text: `None` if it stays as it is.
pub type Masker<'m> = &'m mut dyn FnMut(&str) -> Result<Option<String>, Error>;

/// Content that shows every text that it carries.
pub trait Inspectable: Sized {
    /// Passes every text through `masker` and puts back what it returns. A text that is not passed is not inspected, so leave none out.
    fn mask_all(self, masker: Masker<'_>) -> Result<Self, Error>;

    /// Whether it also carries something that cannot be searched: an image, an archive, encrypted content.
    fn opaque(&self) -> bool;
}

/// Content that went through inspection: what was found in it stands replaced. Only [`inspect`] makes one.
///
/// ```compile_fail
/// let forged = dlp::Inspected { content: "text", report: dlp::MaskReport::default() };
/// ```
pub struct Inspected<T> {
    content: T,
    report: MaskReport,
}

impl<T> Inspected<T> {
    /// The masked content.
    pub fn content(&self) -> &T {
        &self.content
    }

    /// What was found and masked.
    pub fn report(&self) -> &MaskReport {
        &self.report
    }

    /// The masked content and what was found.
    pub fn into_parts(self) -> (T, MaskReport) {
        (self.content, self.report)
    }
}

impl<T> Classified for Inspected<T> {
    fn classes_before(&self) -> DataClasses {
        self.report.classes_before
    }

    fn classes_after(&self) -> DataClasses {
        self.report.classes_after
    }

    fn values_masked(&self) -> usize {
        self.report.values_masked
    }
}

impl<T> std::fmt::Debug for Inspected<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inspected").field("report", &self.report).finish_non_exhaustive()
    }
}

/// Masks all of `content`. Any failure, a crash of a detector included, is an error; then the content is gone and nothing can travel.
pub fn inspect<T: Inspectable>(content: T, vault: &mut Vault, detectors: &Detectors) -> Result<Inspected<T>, Error> {
    let inspected = catch_unwind(AssertUnwindSafe(|| {
        let mut report = MaskReport::default();
        if content.opaque() {
            report.classes_before.insert(DataClass::Opaque);
            report.classes_after.insert(DataClass::Opaque);
        }
        let content = content.mask_all(&mut |text| {
            Ok(match vault.mask(text, detectors, &mut report)? {
                std::borrow::Cow::Borrowed(_) => None,
                std::borrow::Cow::Owned(masked) => Some(masked),
            })
        })?;
        Ok(Inspected { content, report })
    }));
    inspected.unwrap_or(Err(Error::Crashed))
}
