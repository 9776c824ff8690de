//! Keys that move: what is selected, what of a text is seen.

use super::{App, Outcome};
use crate::tui::state::{LnetPanel, Screen};
use crate::tui::view::order;

impl App {
    /// One line down (or up): the selection where there is one, else the text.
    pub(super) fn step_down(&mut self, by: isize) -> Outcome {
        match self.view.screen {
            Screen::Rails | Screen::Links => self.select_rail(by),
            Screen::Findings => self.move_cursor(by),
            Screen::Lnet => self.step_lnet(by),
            Screen::Routes => self.step_routes(by),
            _ => self.scroll(by),
        }
    }

    /// A page: of the selection on the rails, else of the text.
    pub(super) fn page(&mut self, direction: isize) -> Outcome {
        let lines = isize::try_from(self.extent.page.max(2) - 1).unwrap_or(1);
        match self.view.screen {
            Screen::Rails => self.select_rail(direction * lines),
            Screen::Lnet => self.step_lnet(direction * lines),
            _ => self.scroll(direction * lines),
        }
    }

    pub(super) fn jump(&mut self, by: isize) -> Outcome {
        self.step_down(by)
    }

    /// The rows of the matrix, then what stands below it.
    fn step_routes(&mut self, by: isize) -> Outcome {
        let paths = self.frozen_paths.as_ref().unwrap_or(&self.paths);
        let (row, last) = (paths.at().0, paths.size().0.saturating_sub(1));
        let below = self.view.scroll > self.scroll_for(row);
        if row == last && (by > 0 || below && by > isize::MIN) {
            return self.scroll(by);
        }
        let scrolled = by < 0 && below && self.scroll(isize::MIN) == Outcome::Changed;
        let moved = self.select_cell(by, 0);
        if scrolled { Outcome::Changed } else { moved }
    }

    /// The least scroll that shows a row of the matrix; its heading is the first line.
    fn scroll_for(&self, row: usize) -> usize {
        (row + 2).saturating_sub(self.extent.page.max(2))
    }

    pub(super) fn select_cell(&mut self, down: isize, right: isize) -> Outcome {
        let Some((node, _)) = self.frozen.as_deref().or(self.now.as_ref()) else {
            return Outcome::Ignored;
        };
        let paths = self.frozen_paths.as_mut().unwrap_or(&mut self.paths);
        let (rows, columns) = paths.size();
        let (row, column) = paths.at();
        let there = (
            row.saturating_add_signed(down).min(rows.saturating_sub(1)),
            column.saturating_add_signed(right).min(columns.saturating_sub(1)),
        );
        if there == (row, column) {
            return Outcome::Ignored;
        }
        paths.tell(node, Some(there));
        self.view.cell = Some(there);
        let least = self.scroll_for(there.0);
        self.view.scroll = self.view.scroll.max(least).min(there.0.max(least));
        Outcome::Changed
    }

    /// The next destination on the routes, the next panel on LNet.
    pub(super) fn sideways(&mut self, by: isize) -> Outcome {
        if self.view.screen != Screen::Lnet {
            return self.select_cell(0, by);
        }
        let panel = self.view.lnet.panel.step(by);
        if panel == self.view.lnet.panel || self.view.lnet.open {
            return Outcome::Ignored;
        }
        self.view.lnet.panel = panel;
        self.view.scroll = 0;
        Outcome::Changed
    }

    /// Lists NIs and peers anew if something changed since.
    pub(super) fn find_nids(&mut self) {
        if let Some((node, _)) = self.frozen.as_deref().or(self.now.as_ref()) {
            self.nids.update(node, &self.view.filter, self.view.lnet.chosen.as_ref());
        }
    }

    pub(super) fn open_nid(&mut self) -> Outcome {
        self.find_nids();
        if self.view.lnet.open {
            self.close_nid();
        } else if let Some(chosen) = self.nids.chosen(self.nids.at()) {
            // What is open stays open, whatever moves in the list.
            self.view.lnet.chosen = Some(chosen);
            self.view.lnet.open = true;
            self.view.scroll = 0;
        } else {
            return Outcome::Ignored;
        }
        Outcome::Changed
    }

    pub(super) fn close_nid(&mut self) {
        self.view.lnet.open = false;
        self.view.scroll = 0;
    }

    /// Through the NIs, then the peers; other panels scroll below the last NI.
    fn step_lnet(&mut self, by: isize) -> Outcome {
        self.find_nids();
        let shows_peers = self.view.lnet.panel == LnetPanel::Peers;
        if self.view.lnet.open || !shows_peers && by < 0 && self.view.scroll > 0 {
            return self.scroll(by);
        }
        let count = if shows_peers { self.nids.len() } else { self.nids.nis() };
        let here = self.nids.at();
        if !shows_peers && by > 0 && here + 1 >= count {
            return self.scroll(by);
        }
        let there = here.saturating_add_signed(by).min(count.saturating_sub(1));
        let Some(chosen) = self.nids.chosen(there).filter(|_| there != here) else {
            return if shows_peers { Outcome::Ignored } else { self.scroll(by) };
        };
        self.view.lnet.chosen = Some(chosen);
        Outcome::Changed
    }

    fn scroll(&mut self, by: isize) -> Outcome {
        let before = self.view.scroll;
        self.view.scroll = before.saturating_add_signed(by).min(self.extent.last_scroll());
        if self.view.scroll == before { Outcome::Ignored } else { Outcome::Changed }
    }

    fn move_cursor(&mut self, by: isize) -> Outcome {
        let before = self.view.cursor;
        let last = self.extent.choices.saturating_sub(1);
        self.view.cursor = before.saturating_add_signed(by).min(last);
        if self.view.cursor == before {
            return Outcome::Ignored;
        }
        self.view.scroll = 0;
        Outcome::Changed
    }

    fn select_rail(&mut self, by: isize) -> Outcome {
        let Some((node, assessment)) = self.frozen.as_deref().or(self.now.as_ref()) else {
            return Outcome::Ignored;
        };
        let rails = order::rails(node, assessment, &self.view);
        let here = order::selected(node, &rails, &self.view);
        let there = here.saturating_add_signed(by).min(rails.len().saturating_sub(1));
        let id = rails.get(there).and_then(|n| node.rails.get(*n)).map(|rail| rail.id.clone());
        if id.is_none() || id == self.view.selected {
            return Outcome::Ignored;
        }
        self.view.selected = id;
        if self.view.screen != Screen::Rails {
            self.view.scroll = 0;
        }
        Outcome::Changed
    }
}
