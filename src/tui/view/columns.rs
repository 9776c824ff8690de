//! Which columns of the rails table fit, and where they stand.

use ratatui::layout::Rect;

/// A column of the rails table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Sign,
    Rail,
    Link,
    Rx,
    RxBar,
    RxSpark,
    Tx,
    TxBar,
    TxSpark,
    Share,
    Lnet,
    Address,
    Pci,
    Numa,
}

use Column::{
    Address, Link, Lnet, Numa, Pci, Rail as Name, Rx, RxBar, RxSpark, Share, Sign, Tx, TxBar,
    TxSpark,
};

/// As they stand on the screen.
const LEFT_TO_RIGHT: [Column; 14] =
    [Sign, Name, Link, Rx, RxBar, RxSpark, Tx, TxBar, TxSpark, Share, Lnet, Address, Pci, Numa];

/// The most useful first, with the least width: what does not fit is left out.
const BY_USE: [(Column, u16); 13] = [
    (Sign, 2),
    (Rx, 7),
    (Tx, 7),
    (Link, 13),
    (Lnet, 10),
    (Share, 5),
    (RxBar, 8),
    (TxBar, 8),
    (Address, 18),
    (RxSpark, 12),
    (TxSpark, 12),
    (Pci, 12),
    (Numa, 4),
];

/// From this width on a long name costs no other column.
const WIDE: u16 = 110;
const WIDEST_BAR: u16 = 16;
const WIDEST_LINK: u16 = 18;

/// Columns with their places.
pub(crate) struct Layout(pub(crate) Vec<(Column, u16, u16)>);

impl Layout {
    /// As many columns as the width allows.
    pub(crate) fn new(area: Rect, longest_name: u16) -> Self {
        // Names of the firmware's making differ in their last characters: up to 15 (IFNAMSIZ).
        let widest = if area.width < WIDE { 12 } else { 16 };
        let mut chosen = vec![(Name, longest_name.clamp(4, widest))];
        let mut room = area.width.saturating_sub(chosen.iter().map(|c| c.1 + 1).sum::<u16>() + 1);
        for (column, width) in BY_USE {
            // No less useful one takes the room of a more useful one.
            if room <= width {
                break;
            }
            room -= width + 1;
            chosen.push((column, width));
        }
        while room > 0 {
            let before = room;
            for (column, width) in &mut chosen {
                let most = match column {
                    RxBar | TxBar | RxSpark | TxSpark => WIDEST_BAR,
                    Link => WIDEST_LINK,
                    _ => continue,
                };
                if *width < most && room > 0 {
                    *width += 1;
                    room -= 1;
                }
            }
            if room == before {
                break;
            }
        }
        let mut x = area.x + 1;
        let mut placed = Vec::new();
        for column in LEFT_TO_RIGHT {
            if let Some((_, width)) = chosen.iter().find(|(c, _)| *c == column) {
                placed.push((column, x, *width));
                x += width + 1;
            }
        }
        Self(placed)
    }

    /// Where a column stands, and how wide it is.
    pub(crate) fn place(&self, column: Column) -> Option<(u16, u16)> {
        self.0.iter().find(|(c, _, _)| *c == column).map(|(_, x, width)| (*x, *width))
    }
}
