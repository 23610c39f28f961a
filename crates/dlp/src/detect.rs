//! One file for each family of values. Every detector is called at a place that a cheap gate found, and looks at a bounded neighbourhood of it, so that
//! the whole search is linear.

pub(crate) mod card;
pub(crate) mod email;
pub(crate) mod france;
pub(crate) mod germany;
pub(crate) mod iban;
pub(crate) mod number;
pub(crate) mod phone;
pub(crate) mod secret;
pub(crate) mod united_kingdom;
pub(crate) mod united_states;
