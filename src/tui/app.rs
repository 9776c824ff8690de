//! What the screen knows: the model, the judgement on it, and how the user looks at it.

mod moves;

use super::keys::{self, Action};
use super::nids::Nids;
use super::paths::Paths;
use super::session::Session;
use super::state::{Feed, Look, Screen, ViewState};
use super::view::{self, Extent};
use crate::check::{Assessment, Judge, Verdict};
use crate::node::{Interval, Node, Settings, SourceKind};
use crate::report::event_log::EventLog;
use crate::report::run::Run;
use crate::sample::{Sample, Text};
use crate::source::Pace;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Frame;
use std::sync::Arc;
use std::time::Duration;

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to draw.
    Ignored,
    /// Draw again.
    Changed,
    /// Draw everything again, the terminal may show rubbish.
    Repaint,
    /// Give the terminal back and stop.
    Suspend,
    /// Leave, with this exit code.
    Quit(u8),
}

/// The longest filter anyone types.
const LONGEST_FILTER: usize = 60;

const PACES: [u64; 7] = [100, 200, 500, 1000, 2000, 5000, 10_000];

/// The dashboard without its terminal: samples and keys in, frames out.
#[derive(Debug)]
pub struct App {
    look: Look,
    settings: Settings,
    kind: SourceKind,
    label: Text,
    pace: Arc<Pace>,
    feed: Feed,
    judge: Judge,
    now: Option<(Node, Assessment)>,
    /// What the screen shows while paused; the node goes on behind it.
    frozen: Option<Box<(Node, Assessment)>>,
    paths: Paths,
    /// Those of the frozen node.
    frozen_paths: Option<Paths>,
    nids: Nids,
    view: ViewState,
    extent: Extent,
    /// The interval that a mark began, and that mark.
    running: Option<(Text, Interval)>,
    session: Option<Session>,
    log: Option<EventLog>,
}

impl App {
    /// An empty screen that waits for its first sample.
    pub fn new(
        look: Look,
        settings: Settings,
        kind: SourceKind,
        label: &str,
        pace: Arc<Pace>,
    ) -> Self {
        let view = ViewState::new(look.bits);
        Self {
            look,
            settings,
            kind,
            label: Text::new(label),
            pace,
            feed: Feed::Running,
            judge: Judge::default(),
            now: None,
            frozen: None,
            paths: Paths::default(),
            frozen_paths: None,
            nids: Nids::default(),
            view,
            extent: Extent::default(),
            running: None,
            session: None,
            log: None,
        }
    }

    /// Takes a sample in. True: the screen changes by it.
    pub fn on_sample(&mut self, sample: &Sample) -> bool {
        let node = match self.now.take() {
            Some((mut node, _)) => {
                node.advance(sample);
                node
            }
            None => Node::new(self.settings.clone(), self.kind, sample),
        };
        let assessment = self.judge.assess(&node);
        self.session.get_or_insert_with(|| Session::begin(&node)).add(&node, &assessment);
        if let Some((_, interval)) = &mut self.running {
            interval.add(&node);
        }
        if let Some(log) = &mut self.log {
            log.tell(&node);
        }
        self.show(node, assessment)
    }

    /// Shows a node that was made elsewhere. True: the screen changes by it.
    pub fn show(&mut self, node: Node, assessment: Assessment) -> bool {
        if self.paths.update(&node) {
            let place = self.view.cell.filter(|_| self.frozen.is_none());
            self.paths.tell(&node, place);
        }
        self.now = Some((node, assessment));
        self.feed = Feed::Running;
        self.frozen.is_none()
    }

    /// No sample came for three intervals.
    pub fn on_overdue(&mut self) -> bool {
        self.change_feed(Feed::Overdue)
    }

    /// The source has no more.
    pub fn on_end(&mut self) -> bool {
        self.change_feed(Feed::Ended)
    }

    /// The source cannot go on.
    pub fn on_failure(&mut self, why: &str) -> bool {
        self.change_feed(Feed::Failed(Text::new(why)))
    }

    fn change_feed(&mut self, feed: Feed) -> bool {
        let changed = self.feed != feed;
        self.feed = feed;
        changed && self.frozen.is_none()
    }

    /// The interval that the source keeps.
    pub fn interval(&self) -> Duration {
        self.pace.interval()
    }

    /// The worst that is known, for whoever asks after the end.
    pub fn verdict(&self) -> Verdict {
        self.now.as_ref().map_or(Verdict::Unknown, |(_, assessment)| assessment.verdict)
    }

    /// Draws the screen.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        let on_lnet = self.view.screen == Screen::Lnet;
        self.pace.want_peers(on_lnet);
        if on_lnet {
            self.find_nids();
        }
        let shown = self.frozen.as_deref().or(self.now.as_ref());
        let context = view::Context {
            look: &self.look,
            theme: self.look.theme(),
            label: &self.label,
            kind: self.kind,
            interval: self.pace.interval(),
            feed: &self.feed,
            paused: self.frozen.is_some(),
            view: &self.view,
            paths: self.frozen_paths.as_ref().unwrap_or(&self.paths),
            nids: &self.nids,
        };
        self.extent = view::draw(frame.buffer_mut(), area, &context, shown);
        // A resize or a shorter list must not leave the screen scrolled beyond its end.
        self.view.scroll = self.view.scroll.min(self.extent.last_scroll());
        self.view.cursor = self.view.cursor.min(self.extent.choices.saturating_sub(1));
    }

    /// Takes a key in.
    pub fn on_key(&mut self, key: KeyEvent) -> Outcome {
        if self.view.typing
            && let Some(outcome) = self.on_filter_key(key)
        {
            return outcome;
        }
        let had_status = self.view.status.take().is_some();
        let outcome =
            keys::lookup(self.view.screen, key).map_or(Outcome::Ignored, |action| self.act(action));
        if had_status && outcome == Outcome::Ignored { Outcome::Changed } else { outcome }
    }

    fn act(&mut self, action: Action) -> Outcome {
        match action {
            Action::Quit => return Outcome::Quit(0),
            Action::Interrupt => return Outcome::Quit(128 + 2),
            Action::Suspend => return Outcome::Suspend,
            Action::Redraw => return Outcome::Repaint,
            Action::Help => self.toggle_help(),
            Action::Go(screen) => self.go(screen),
            Action::NextScreen => self.turn(1),
            Action::PreviousScreen => self.turn(Screen::NUMBERED.len() - 1),
            Action::Down => return self.step_down(1),
            Action::Up => return self.step_down(-1),
            Action::PageDown => return self.page(1),
            Action::PageUp => return self.page(-1),
            Action::First => return self.jump(isize::MIN),
            Action::Last => return self.jump(isize::MAX),
            Action::Open => return self.open(),
            Action::Back => return self.back(),
            Action::Pause => self.pause(),
            Action::Slower => return self.change_pace(true),
            Action::Faster => return self.change_pace(false),
            Action::Filter => self.view.typing = true,
            Action::Sort => {
                self.view.sort = self.view.sort.next();
                self.view.status = Some(format!("sorted by {}", self.view.sort.word()));
            }
            Action::Reverse => self.view.reverse = !self.view.reverse,
            Action::Units => self.view.bits = !self.view.bits,
            Action::Mark => return self.mark(),
            Action::Acknowledge => return self.acknowledge(),
            Action::Scale => self.view.same_scale = !self.view.same_scale,
            Action::Left => return self.sideways(-1),
            Action::Right => return self.sideways(1),
            Action::Story => self.view.story = !self.view.story,
            Action::StepBack => return self.step_time(1),
            Action::StepForward => return self.step_time(-1),
        }
        Outcome::Changed
    }

    /// Keys while the filter is typed; none of them means anything else.
    fn on_filter_key(&mut self, key: KeyEvent) -> Option<Outcome> {
        let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        match key.code {
            KeyCode::Enter => self.view.typing = false,
            KeyCode::Esc => {
                self.view.typing = false;
                self.view.filter.clear();
            }
            KeyCode::Backspace => {
                self.view.filter.pop();
            }
            KeyCode::Char('u') if !plain => self.view.filter.clear(),
            KeyCode::Char(c) if plain => {
                if self.view.filter.chars().count() < LONGEST_FILTER && !c.is_control() {
                    self.view.filter.push(c);
                }
            }
            KeyCode::Char(_) => return None,
            _ => return Some(Outcome::Ignored),
        }
        self.view.scroll = 0;
        Some(Outcome::Changed)
    }

    fn go(&mut self, screen: Screen) {
        if self.view.screen != screen {
            self.view.screen = screen;
            self.view.lnet.open = false;
            self.view.scroll = 0;
            self.view.cursor = 0;
            self.view.typing = false;
        }
    }

    fn turn(&mut self, by: usize) {
        let count = Screen::NUMBERED.len();
        let here = Screen::NUMBERED.iter().position(|(s, _)| *s == self.view.screen).unwrap_or(0);
        if let Some((screen, _)) = Screen::NUMBERED.get((here + by) % count) {
            self.go(*screen);
        }
    }

    fn toggle_help(&mut self) {
        if self.view.screen == Screen::Help {
            self.go(self.view.before_help);
        } else {
            self.view.before_help = self.view.screen;
            self.go(Screen::Help);
        }
    }

    fn back(&mut self) -> Outcome {
        match self.view.screen {
            Screen::Help => self.toggle_help(),
            Screen::Rail => self.go(self.view.opened_from),
            Screen::Lnet if self.view.lnet.open => self.close_nid(),
            _ if !self.view.filter.is_empty() => self.view.filter.clear(),
            Screen::Rails => return Outcome::Ignored,
            _ => self.go(Screen::Rails),
        }
        Outcome::Changed
    }

    /// Opens the selected rail; on the findings, the rail that the finding is about.
    fn open(&mut self) -> Outcome {
        if self.view.screen == Screen::Lnet {
            return self.open_nid();
        }
        let Some((node, assessment)) = self.frozen.as_deref().or(self.now.as_ref()) else {
            return Outcome::Ignored;
        };
        if self.view.screen == Screen::Findings {
            let about = view::findings::visible(assessment, &self.view)
                .nth(self.view.cursor)
                .and_then(|f| f.rails.first())
                .and_then(|name| node.rails.iter().find(|r| r.name == *name));
            let Some(rail) = about else { return Outcome::Ignored };
            self.view.selected = Some(rail.id.clone());
        } else if node.rails.is_empty() {
            return Outcome::Ignored;
        }
        self.view.opened_from = self.view.screen;
        self.go(Screen::Rail);
        Outcome::Changed
    }

    fn pause(&mut self) {
        self.view.step = 0;
        self.frozen = match self.frozen.take() {
            Some(_) => None,
            None => self.now.clone().map(Box::new),
        };
        self.frozen_paths = self.frozen.is_some().then(|| self.paths.clone());
        if let Some((node, _)) = self.now.as_ref().filter(|_| self.frozen.is_none()) {
            self.paths.tell(node, self.view.cell);
        }
    }

    fn step_time(&mut self, back: isize) -> Outcome {
        if self.frozen.is_none() {
            self.view.status = Some("Space pauses; then the arrows step".to_owned());
            return Outcome::Changed;
        }
        let before = self.view.step;
        let most = crate::node::History::KEEP - 1;
        self.view.step = before.saturating_add_signed(back).min(most);
        if self.view.step == before { Outcome::Ignored } else { Outcome::Changed }
    }

    fn change_pace(&mut self, slower: bool) -> Outcome {
        let now = self.pace.interval().as_millis();
        let mut steps = PACES.iter();
        let next = if slower {
            steps.find(|ms| u128::from(**ms) > now)
        } else {
            steps.rfind(|ms| u128::from(**ms) < now)
        };
        let Some(ms) = next else { return Outcome::Ignored };
        self.pace.set(Duration::from_millis(*ms));
        Outcome::Changed
    }

    /// The first mark begins an interval, the second ends it and shows what it came to.
    fn mark(&mut self) -> Outcome {
        let Some((node, _)) = &mut self.now else { return Outcome::Ignored };
        node.mark(node.time);
        let name = node.marks.last().map(|m| m.name.clone()).unwrap_or_default();
        let at = crate::units::clock(node.time.wall, &self.look.zone);
        match self.running.take() {
            None => {
                self.running = Some((name.clone(), Interval::begin(node)));
                self.view.status = Some(format!("mark {name}: m ends it"));
            }
            Some((from, interval)) => {
                let lasted = node.time.mono.since(interval.began().mono);
                let summary = interval.end(node, lasted);
                let label = format!("from mark {from} to {name}");
                self.view.between = Some(Run { label, exit_code: None, summary });
                self.view.status = Some(format!("mark {name} at {at}"));
                self.go(Screen::Interval);
            }
        }
        Outcome::Changed
    }

    /// The user has taken note of what happened.
    fn acknowledge(&mut self) -> Outcome {
        let Some((node, _)) = &self.now else { return Outcome::Ignored };
        let unseen = self.view.unseen(node).count();
        self.view.acknowledged = node.event_count;
        self.view.status = Some(match unseen {
            0 => "nothing to acknowledge".to_owned(),
            1 => "1 event acknowledged".to_owned(),
            n => format!("{n} events acknowledged"),
        });
        Outcome::Changed
    }

    /// What the session saw, for the time after the screen; nothing before the first sample.
    pub fn farewell(&self) -> Option<String> {
        let ((node, _), session) = self.now.as_ref().zip(self.session.as_ref())?;
        Some(session.end(node).words(&self.look.zone))
    }

    /// Writes events beside the screen from now on.
    pub fn log_events(&mut self, log: EventLog) {
        self.log = Some(log);
    }
}
