use crate::DurableIndex;

/// Content whose record is on the disk. Only [`crate::Client::record`] makes one, after the log's writer has confirmed it.
///
/// It cannot be made by hand:
/// ```compile_fail,E0451
/// # fn index() -> evidence::DurableIndex { unimplemented!() }
/// let forged = evidence::Recorded { content: "a call", index: index() };
/// ```
/// nor by a constructor:
/// ```compile_fail,E0599
/// let forged = evidence::Recorded::new("a call");
/// ```
/// nor from a default, nor by copying one:
/// ```compile_fail,E0277
/// fn forge<T: Default>() -> T { T::default() }
/// let forged: evidence::Recorded<()> = forge();
/// ```
/// ```compile_fail,E0277
/// fn twice<T: Clone>(_: &T) {}
/// fn copy(recorded: &evidence::Recorded<u8>) { twice(recorded) }
/// ```
/// and its index cannot be made up:
/// ```compile_fail,E0423
/// let index = evidence::DurableIndex(7);
/// ```
#[must_use = "what has been recorded as going to happen should happen"]
pub struct Recorded<T> {
    content: T,
    index: DurableIndex,
}

impl<T> Recorded<T> {
    pub(crate) fn mint(content: T, index: DurableIndex) -> Self {
        Self { content, index }
    }

    /// The content.
    pub fn content(&self) -> &T {
        &self.content
    }

    /// The content, giving up the proof.
    pub fn into_inner(self) -> T {
        self.content
    }

    /// The place of its record.
    pub fn index(&self) -> DurableIndex {
        self.index
    }
}

impl<T> std::fmt::Debug for Recorded<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorded(at {})", self.index.0)
    }
}
