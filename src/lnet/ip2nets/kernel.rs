//! The `ip2nets=` string, as the kernel reads it.

use super::expr::is_space;
use std::ops::Range;

/// An entry of the string: nets, then patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its text with every blank made a space, as messages of the console show it.
    pub text: Vec<u8>,
    /// Where it stands in the string, in bytes.
    pub at: Range<usize>,
    /// Where its words stand in `text`.
    pub words: Vec<Range<usize>>,
    /// The comment behind it hid text up to the next separator, not to the end of the string.
    pub comment: bool,
}

impl Entry {
    /// Its first word: the nets.
    pub fn netspecs(&self) -> &[u8] {
        self.words.first().map_or(&[], |word| self.word(word))
    }

    /// Its other words: the patterns.
    pub fn patterns(&self) -> impl Iterator<Item = (&Range<usize>, &[u8])> {
        self.words.iter().skip(1).map(|word| (word, self.word(word)))
    }

    fn word(&self, word: &Range<usize>) -> &[u8] {
        self.text.get(word.clone()).unwrap_or_default()
    }
}

/// The entries of a string (`lnet_str2tbs_sep`): separated by `;` and line ends; a `#` hides all
/// up to the next separator.
pub fn entries(text: &[u8]) -> Vec<Entry> {
    let separates = |b: u8| matches!(b, b'\n' | b'\r' | b';');
    let text = text.split(|b| *b == 0).next().unwrap_or_default();
    let mut entries = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        at += rest.iter().take_while(|b| is_space(**b)).count();
        let rest = text.get(at..).unwrap_or_default();
        let length = rest.iter().position(|b| separates(*b) || *b == b'#').unwrap_or(rest.len());
        let behind = rest.get(length..).unwrap_or_default();
        let hidden = behind.iter().position(|b| separates(*b)).unwrap_or(behind.len());
        if length > 0 {
            let own = rest.get(..length).unwrap_or_default();
            let spaced: Vec<u8> =
                own.iter().map(|b| if is_space(*b) { b' ' } else { *b }).collect();
            let words = words(&spaced);
            entries.push(Entry { text: spaced, at: at..at + length, words, comment: hidden > 0 });
        }
        at += length + hidden + 1;
        if at > text.len() {
            return entries;
        }
    }
}

fn words(text: &[u8]) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, byte) in text.iter().enumerate() {
        match (is_space(*byte), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| from..text.len()));
    words
}
