//! Ends an answer before the first of the caller's stop sequences, also when that is spread over several pieces.

#[cfg(test)]
mod tests;

/// Text comes in, text before a stop sequence goes out. At most one byte less than the longest sequence is held back.
pub(crate) struct Stops {
    sequences: Vec<String>,
    held: String,
}

/// What may be told, and whether that was all.
pub(crate) struct Released {
    pub(crate) text: String,
    pub(crate) stopped: bool,
}

impl Stops {
    pub(crate) fn new(sequences: &[String]) -> Self {
        Self { sequences: sequences.to_vec(), held: String::new() }
    }

    /// Takes more text.
    pub(crate) fn push(&mut self, text: &str) -> Released {
        self.held.push_str(text);
        let first = self.sequences.iter().filter_map(|sequence| self.held.find(sequence.as_str())).min();
        if let Some(at) = first {
            self.held.truncate(at);
            return Released { text: std::mem::take(&mut self.held), stopped: true };
        }
        let waiting = self.held.split_off(self.possible_start());
        Released { text: std::mem::replace(&mut self.held, waiting), stopped: false }
    }

    /// What is left when no more text comes: it began like a stop sequence and was none.
    pub(crate) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Where the first suffix begins that a stop sequence could begin with.
    fn possible_start(&self) -> usize {
        let starts = |suffix: &str| self.sequences.iter().any(|sequence| sequence.starts_with(suffix));
        let places = self.held.char_indices().map(|(at, _)| at);
        places.into_iter().find(|at| self.held.get(*at..).is_some_and(starts)).unwrap_or(self.held.len())
    }
}
