//! What is not said anywhere, and not what was meant.

/// A surprise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Surprise {
    /// Its kind; once published, an id keeps its meaning.
    pub id: &'static str,
    /// One sentence.
    pub summary: String,
}

impl Surprise {
    /// Any.
    pub fn new(id: &'static str, summary: impl Into<String>) -> Self {
        Self { id, summary: summary.into() }
    }

    /// Text behind a net and a blank, up to the comma.
    pub fn text_ignored(net: &str, text: &str) -> Self {
        let text = shown(text);
        Self::new(
            "TEXT_IGNORED",
            format!(
                "`{text}` behind {net} is passed over in silence: nets are separated by commas"
            ),
        )
    }

    /// `lo` among the nets.
    pub fn loopback_net() -> Self {
        Self::new("LO_IGNORED", "lo is there always; naming it does nothing")
    }
}

/// Text from outside, cut to a length that fits into a sentence.
pub fn shown(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let start: String = text.chars().take(MOST - 1).collect();
    format!("{start}…")
}
