//! The subset of YAML that lnetctl prints, read line by line.
//!
//! A block map or a block list per level, with any indentation; a list may stand in the column of
//! its key (from 2.16); after `- ` any number of blanks. Scalars are plain or in double quotes,
//! with or without a `!`. Anything beyond that is refused, not guessed: where this reader gives a
//! tree, it is that of the YAML crate (a property test holds it to that).

use super::Tree;
use std::borrow::Cow;

/// Deeper than any version nests.
const MAX_DEPTH: u32 = 12;

/// A line that says something.
#[derive(Clone, Copy, Debug)]
struct Line<'a> {
    /// Column of the dash, or of the first character.
    column: usize,
    /// It begins with a dash; `body` is what follows.
    item: Option<usize>,
    body: &'a str,
}

/// Not in the subset.
struct Refused;

/// Gives every item below the top-level key `key`; `None` if the text is not in the subset,
/// `Some(false)` if no document has the key. Items may have been given before a refusal.
pub(super) fn each(text: &str, key: &str, take: &mut dyn FnMut(&Tree<'_>)) -> Option<bool> {
    let mut seen = false;
    let mut reader = Reader { rest: text, next: None };
    reader.advance().ok()?;
    loop {
        seen |= reader.document(key, take).ok()?;
        if !reader.next_document().ok()? {
            return Some(seen);
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    /// The line to be looked at; `None` at the end of a document.
    next: Option<Line<'a>>,
}

impl<'a> Reader<'a> {
    /// Moves to the next line of this document that is not blank.
    fn advance(&mut self) -> Result<(), Refused> {
        self.next = None;
        while !self.rest.is_empty() {
            let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
            let line = line.trim_end_matches(' ');
            if line == "---" || line == "..." {
                return Ok(());
            }
            self.rest = rest;
            if !line.is_empty() {
                self.next = Some(Line::of(line)?);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Moves over a `---` or `...`; false at the end of the text.
    fn next_document(&mut self) -> Result<bool, Refused> {
        if self.rest.is_empty() {
            return Ok(false);
        }
        self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
        self.advance()?;
        Ok(true)
    }

    /// One document: a map, of which `key` is wanted.
    fn document(&mut self, wanted: &str, take: &mut dyn FnMut(&Tree<'_>)) -> Result<bool, Refused> {
        let Some(first) = self.next else { return Ok(false) };
        let mut seen = false;
        while let Some(line) = self.next {
            if line.column != first.column || line.item.is_some() {
                return Err(Refused);
            }
            let (key, value) = entry(line.body)?;
            self.advance()?;
            let is_wanted = key == wanted && !seen;
            seen |= is_wanted;
            match self.child_column(line.column) {
                Some(_) if !value.is_empty() => return Err(Refused),
                Some(column) => self.children(column, is_wanted, take)?,
                // A scalar in the place of the list: the crate's reader has the words for it.
                None if is_wanted && !value.is_empty() => return Err(Refused),
                None => {
                    scalar(value)?;
                }
            }
        }
        Ok(seen)
    }

    /// What stands below a top-level key, item by item: ten thousand of them need not be in
    /// memory at once.
    fn children(
        &mut self,
        column: usize,
        wanted: bool,
        take: &mut dyn FnMut(&Tree<'_>),
    ) -> Result<(), Refused> {
        let mut give = |tree: &Tree<'_>| {
            if wanted {
                take(tree);
            }
        };
        if self.next.is_some_and(|line| line.item.is_none()) {
            give(&self.block(column, 1)?);
            return Ok(());
        }
        while let Some(line) = self.next.filter(|l| l.column == column && l.item.is_some()) {
            give(&self.item(line, 1)?);
        }
        self.outside(column)
    }

    /// The map or list that begins with the next line, in `column`.
    fn block(&mut self, column: usize, depth: u32) -> Result<Tree<'a>, Refused> {
        if depth > MAX_DEPTH {
            return Err(Refused);
        }
        let is_list = self.next.is_some_and(|line| line.item.is_some());
        let tree = if is_list {
            let mut items = Vec::new();
            while let Some(line) = self.next.filter(|l| l.column == column && l.item.is_some()) {
                items.push(self.item(line, depth)?);
            }
            Tree::List(items)
        } else {
            let mut entries = Vec::new();
            while let Some(line) = self.next.filter(|l| l.column == column && l.item.is_none()) {
                let (key, value) = entry(line.body)?;
                self.advance()?;
                entries.push((Cow::Borrowed(key), self.value(column, value, depth)?));
            }
            Tree::Map(entries)
        };
        self.outside(column)?;
        Ok(tree)
    }

    /// An item of a list, of which `line` is the first line.
    fn item(&mut self, line: Line<'a>, depth: u32) -> Result<Tree<'a>, Refused> {
        let column = line.item.ok_or(Refused)?;
        if entry(line.body).is_err() {
            let value = scalar(line.body)?;
            self.advance()?;
            // A scalar that goes on below is none that lnetctl prints.
            let deeper = self.next.is_some_and(|next| next.column > line.column);
            return if deeper || value == Tree::Null { Err(Refused) } else { Ok(value) };
        }
        self.next = Some(Line { column, item: None, body: line.body });
        self.block(column, depth + 1)
    }

    fn value(&mut self, column: usize, value: &'a str, depth: u32) -> Result<Tree<'a>, Refused> {
        match self.child_column(column) {
            Some(_) if !value.is_empty() => Err(Refused),
            Some(child) => self.block(child, depth + 1),
            None => scalar(value),
        }
    }

    /// The column of what stands below a key in `column`, if something does: deeper, or a list in
    /// the very column.
    fn child_column(&self, column: usize) -> Option<usize> {
        let next = self.next?;
        let below = next.column > column || (next.column == column && next.item.is_some());
        below.then_some(next.column)
    }

    /// After a block in `column` comes what belongs further out.
    fn outside(&self, column: usize) -> Result<(), Refused> {
        match self.next {
            Some(line) if line.column > column => Err(Refused),
            // A list in the column of its key, followed by the next key.
            Some(line) if line.column == column && line.item.is_some() => Err(Refused),
            _ => Ok(()),
        }
    }
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Result<Self, Refused> {
        // Among them tabs and lone carriage returns, which are line breaks in YAML.
        if line.bytes().any(|b| !(b' '..=b'~').contains(&b)) {
            return Err(Refused);
        }
        let body = line.trim_start_matches(' ');
        let column = line.len() - body.len();
        let Some(after) = body.strip_prefix('-').filter(|after| after.starts_with(' ')) else {
            return Ok(Self { column, item: None, body });
        };
        let inner = after.trim_start_matches(' ');
        Ok(Self { column, item: Some(line.len() - inner.len()), body: inner })
    }
}

/// `key: value` or `key:`.
fn entry(body: &str) -> Result<(&str, &str), Refused> {
    let (key, value) = match body.split_once(": ") {
        Some((key, value)) => (key, value.trim_start_matches(' ')),
        None => (body.strip_suffix(':').ok_or(Refused)?, ""),
    };
    if is_key(key) { Ok((key, value)) } else { Err(Refused) }
}

/// A key that is a string, or a small number, in every YAML.
fn is_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    let number = bytes.iter().all(u8::is_ascii_digit);
    if number {
        return matches!(bytes, [b'0'] | [b'1'..=b'9', ..]) && bytes.len() < 10;
    }
    let inner = |b: u8| b.is_ascii_alphanumeric() || b" _-()[]./".contains(&b);
    let special = ["true", "false", "null"].iter().any(|word| key.eq_ignore_ascii_case(word));
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.last() != Some(&b' ')
        && bytes.iter().all(|b| inner(*b))
        && !special
}

fn scalar(value: &str) -> Result<Tree<'_>, Refused> {
    if value.is_empty() {
        return Ok(Tree::Null);
    }
    let quoted = value.strip_prefix("! ").map_or(value, |rest| rest.trim_start_matches(' '));
    if let Some(inner) = quoted.strip_prefix('"') {
        let inner = inner.strip_suffix('"').ok_or(Refused)?;
        let plain = !inner.bytes().any(|b| matches!(b, b'"' | b'\\'));
        return if plain { Ok(Tree::Scalar(Cow::Borrowed(inner))) } else { Err(Refused) };
    }
    if quoted.len() == value.len() && is_plain(value) {
        return Ok(Tree::Scalar(Cow::Borrowed(value)));
    }
    Err(Refused)
}

/// A plain scalar that means nothing but itself.
fn is_plain(value: &str) -> bool {
    let bytes = value.as_bytes();
    let inner = |b: u8| b.is_ascii_alphanumeric() || b" .+-_@:/,()".contains(&b);
    // `-` before a blank is a list, `:` before one a map.
    let first = match bytes {
        [b'-', second, ..] => *second != b' ',
        [first, ..] => first.is_ascii_alphanumeric() || matches!(first, b'+' | b'.'),
        [] => false,
    };
    first
        && bytes != b"-"
        && bytes.last() != Some(&b':')
        && !value.contains(": ")
        && bytes.iter().all(|b| inner(*b))
}

#[cfg(test)]
mod tests;
