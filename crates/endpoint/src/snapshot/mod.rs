//! The state of a workspace before a session: kept, compared, brought back; and what a staged session wrote, committed or discarded.

mod compare;
mod desk;
mod entry;
mod error;
mod keeper;
mod manifest;
mod objects;
mod record;
mod restore;
mod stage;
mod store;
mod take;
mod tree;
mod twins;
mod walk;

pub use compare::Difference;
pub use desk::{Comparison, Desk, Done, Order, Shown, Side};
pub use entry::Digest;
pub use error::{Error, shown};
pub(crate) use keeper::Keeper;
pub use store::{Facts, Kept, Scene, Store};

#[cfg(test)]
mod tests;
