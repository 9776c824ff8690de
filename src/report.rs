//! Mouths that write: JSON, text. They compute no facts.

pub mod json;
pub mod text;
