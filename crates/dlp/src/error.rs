/// Why a text could not be inspected. Nothing that failed so may travel. Messages never hold content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A text is longer than [`crate::bounds::TEXT_BYTES_MAX`].
    #[error("searching a text of {bytes} bytes: the bound is {max}; send it in parts")]
    TextTooLong {
        /// Its length.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// More findings than [`crate::bounds::FINDINGS_MAX`].
    #[error("searching a text: it holds more than {max} findings; send less")]
    TooManyFindings {
        /// The bound.
        max: usize,
    },
    /// A value is longer than [`crate::bounds::VALUE_BYTES_MAX`].
    #[error("masking a value of {bytes} bytes: the bound is {max}; send less")]
    ValueTooLong {
        /// Its length.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// The session's vault is full.
    #[error("masking a value: the session has replaced as many values as it may; start a new session")]
    VaultFull,
    /// The automaton over the session's values could not be built.
    #[error("preparing the search for values replaced before: it would be too large; start a new session")]
    KnownValues,
    /// A detector or the vault crashed; what they saw must not travel.
    #[error("inspecting a text: a detector crashed; nothing was passed on, report it as a defect")]
    Crashed,
}
