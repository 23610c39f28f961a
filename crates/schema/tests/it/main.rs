//! The nouns as others use them: what they take, what they refuse, and how they stand in a log.

#[cfg(test)]
mod events;
#[cfg(test)]
mod names;
#[cfg(test)]
mod time;
