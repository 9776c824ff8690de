//! Mouths that write: JSON, text. They compute no facts.

pub mod fix;
pub mod ibstat;
pub mod json;
pub mod paths;
pub mod text;
pub mod why;
