//! The only door to a model, and the only place where content is opened.
#![forbid(unsafe_code)]

pub mod dialect;
pub mod echo;
pub mod json;
mod mask;
pub mod refusal;
