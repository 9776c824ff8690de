//! Strings from outside, made safe where they enter.

use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Borrow;
use std::fmt::{self, Write};
use std::ops::Deref;
use std::sync::Arc;

/// A string that came from outside and holds no control characters.
///
/// Whatever the terminal or a reader could take for a command (C0, DEL, C1, bidirectional
/// overrides, line separators) is written out as `\xNN` or `\u{…}`, so no path through the
/// program can put it on a screen raw. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Text(Arc<str>);

impl Text {
    /// Makes outside text safe; invalid UTF-8 is replaced.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self::new(&String::from_utf8_lossy(bytes))
    }

    /// Makes outside text safe.
    pub fn new(raw: &str) -> Self {
        if !raw.chars().any(unsafe_on_a_terminal) {
            return Self(raw.into());
        }
        let mut safe = String::with_capacity(raw.len() + 8);
        for c in raw.chars() {
            match c {
                '\t' => safe.push(' '),
                c if !unsafe_on_a_terminal(c) => safe.push(c),
                c if (c as u32) < 0x100 => {
                    let _ = write!(safe, "\\x{:02x}", c as u32);
                }
                c => {
                    let _ = write!(safe, "\\u{{{:x}}}", c as u32);
                }
            }
        }
        Self(safe.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn unsafe_on_a_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl From<String> for Text {
    fn from(raw: String) -> Self {
        Self::new(&raw)
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl Default for Text {
    fn default() -> Self {
        Self("".into())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(d)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_written_out() {
        assert_eq!(Text::new("a\x1b[2Jb").as_str(), "a\\x1b[2Jb");
        assert_eq!(Text::new("x\u{202e}y").as_str(), "x\\u{202e}y");
        assert_eq!(Text::new("node HCA-1").as_str(), "node HCA-1");
    }

    proptest! {
        #[test]
        fn no_control_character_survives(bytes: Vec<u8>) {
            let text = Text::from_bytes(&bytes);
            prop_assert!(!text.chars().any(unsafe_on_a_terminal));
        }
    }
}
