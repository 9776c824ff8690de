//! What lnetctl prints, as a tree whose scalars are still as printed.
//!
//! Two readers make the same tree. [`lines`] knows the subset of YAML that lnetctl prints, in its
//! three indentations, and nothing else; it copies nothing. What it does not know is left to the
//! YAML crate, as far as that is short enough. For the 13 MB that ten thousand peers print the
//! crate alone needs 0.53 s of CPU, this module and the model together 0.07 s; for the nets of
//! eight NIs 0.41 ms against 0.09 ms (`tests/bench/lnet.rs`).

mod lines;
mod yaml;

use crate::sample::{Unknown, Why};
use std::borrow::Cow;

/// Longer texts are not given to the YAML crate, which needs quadratic time for some.
const MAX_YAML: usize = 512 * 1024;

/// A YAML value whose scalars are still as printed.
#[derive(Debug, PartialEq)]
pub(super) enum Tree<'a> {
    Null,
    Scalar(Cow<'a, str>),
    List(Vec<Tree<'a>>),
    Map(Vec<(Cow<'a, str>, Tree<'a>)>),
}

impl<'a> Tree<'a> {
    /// The first value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Tree<'a>> {
        self.entries().iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    pub(super) fn scalar(&self) -> Option<&str> {
        match self {
            Tree::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; one that stands alone is a list of one.
    pub(super) fn items(&self) -> &[Tree<'a>] {
        match self {
            Tree::List(items) => items,
            Tree::Map(_) => std::slice::from_ref(self),
            _ => &[],
        }
    }

    /// The entries of a map, in order.
    pub(super) fn entries(&self) -> &[(Cow<'a, str>, Tree<'a>)] {
        match self {
            Tree::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Every scalar below with its path (`health stats/timeouts`), in order; list items count
    /// from 0.
    pub(super) fn scalars<'t>(&'t self, take: &mut dyn FnMut(&str, &'t str)) {
        self.walk(&mut String::with_capacity(64), take);
    }

    fn walk<'t>(&'t self, path: &mut String, take: &mut dyn FnMut(&str, &'t str)) {
        match self {
            Tree::Null => {}
            Tree::Scalar(value) => take(path, value),
            Tree::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    item.below(&i.to_string(), path, take);
                }
            }
            Tree::Map(entries) => {
                for (key, value) in entries {
                    value.below(key, path, take);
                }
            }
        }
    }

    fn below<'t>(&'t self, key: &str, path: &mut String, take: &mut dyn FnMut(&str, &'t str)) {
        let length = path.len();
        if length > 0 {
            path.push('/');
        }
        path.push_str(key);
        self.walk(path, take);
        path.truncate(length);
    }
}

/// What `take` makes of each item below the top-level key `key`; a map in the place of a list is
/// one item. Text that holds no such key is an error: it says something else.
///
/// A last line without its newline is left out: half of a number is a wrong number.
pub(super) fn top<T>(
    stdout: &[u8],
    key: &str,
    take: impl Fn(&Tree<'_>, &mut Vec<T>),
) -> Result<Vec<T>, Unknown> {
    let text = String::from_utf8_lossy(stdout);
    let complete = text.rfind('\n').map_or("", |end| text.get(..=end).unwrap_or_default());
    let mut found = Vec::new();
    if lines::each(complete, key, &mut |item| take(item, &mut found)) == Some(true) {
        return Ok(found);
    }
    found.clear();
    if complete.len() > MAX_YAML {
        let detail = format!("too long, and not as lnetctl prints it: {}", first_words(&text));
        return Err(Unknown::new(Why::Unparsable, detail));
    }
    if yaml::each(complete, key, &mut |item| take(item, &mut found))? {
        Ok(found)
    } else {
        let detail = format!("no `{key}:` in it: {}", first_words(&text));
        Err(Unknown::new(Why::Unparsable, detail))
    }
}

/// The first line that says something, cut to a length that fits on a screen.
pub(super) fn first_words(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or_default();
    line.chars().take(160).collect()
}
