//! Mouths that write: JSON, text, forms for monitoring. They compute no facts.

pub mod fix;
pub mod json;
pub mod junit;
pub mod nagios;
pub mod paths;
pub mod text;
pub mod why;
