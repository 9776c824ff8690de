//! debugfs `lnet/nis` (up to 2.10 `/proc/sys/lnet/nis`): the credits of each NI now.

use crate::read::lnetctl::tree::first_words;
use crate::sample::{LnetNiCredits, Text, Unknown, Why};

/// The rows of the table, one per NI and CPU partition.
///
/// `lnet/lnet/router_proc.c`, from 2.15 `lnet_debugfs.c`: `proc_lnet_nis`. The columns are found
/// by the names in the first line. A last line without its newline is left out.
pub fn nis(text: &[u8]) -> Result<Vec<LnetNiCredits>, Unknown> {
    let text = String::from_utf8_lossy(text);
    let complete = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
    let mut lines = complete.lines();
    let columns = lines.next().and_then(Columns::of).ok_or_else(|| {
        Unknown::new(Why::Unparsable, format!("no table of NIs: {}", first_words(&text)))
    })?;
    Ok(lines.filter_map(|line| columns.row(line)).collect())
}

struct Columns {
    count: usize,
    nid: usize,
    status: Option<usize>,
    max: usize,
    tx: usize,
    min: usize,
}

impl Columns {
    fn of(head: &str) -> Option<Self> {
        let names: Vec<&str> = head.split_whitespace().collect();
        let place = |name: &str| names.iter().position(|n| *n == name);
        Some(Self {
            count: names.len(),
            nid: place("nid")?,
            status: place("status"),
            max: place("max")?,
            tx: place("tx")?,
            min: place("min")?,
        })
    }

    /// A row with more or fewer words than the head cannot be read: which one is missing?
    fn row(&self, line: &str) -> Option<LnetNiCredits> {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.len() != self.count {
            return None;
        }
        let number = |place: usize| words.get(place)?.parse::<i64>().ok();
        let nid = words.get(self.nid).filter(|nid| nid.contains('@'))?;
        Some(LnetNiCredits {
            nid: Text::new(nid),
            status: self
                .status
                .and_then(|s| words.get(s))
                .map(|s| Text::new(s))
                .unwrap_or_default(),
            max: number(self.max)?,
            tx: number(self.tx)?,
            min: number(self.min)?,
        })
    }
}
