//! `/sys/class/net/*`.

mod attrs;
mod interface;

use super::files::{self, Dir, Tally};
use crate::read::Due;
use crate::read::root::Root;
use crate::sample::{Netdev, Reading};
use interface::{Interface, Pass};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

const CLASS: &str = "sys/class/net";
/// With more interfaces than these (four descriptors each) the usual limit of 1024 comes near.
const KEPT: usize = 64;
/// So many interfaces without hardware, `lo` among them, have their bytes read in every pass.
const FEW_SOFTWARE: usize = 8;

/// Reads the interfaces of a root again and again, over open descriptors.
///
/// A node can have 500 veths that nobody asks about: interfaces without hardware behind them are
/// read at the slow pace, unless they carry rails (type 32, bonds) or there are only some.
#[derive(Debug)]
pub struct NetReader {
    root: Root,
    interfaces: Vec<Interface>,
    rescan: bool,
    listed: bool,
    live: bool,
    tally: Tally,
}

impl NetReader {
    /// A reader of `root`.
    pub fn new(root: &Root) -> Self {
        Self {
            root: root.clone(),
            interfaces: Vec::new(),
            rescan: false,
            listed: false,
            live: root.is_live(),
            tally: Tally::default(),
        }
    }

    /// One pass; parts that are not due are shared with the pass before. The list of interfaces
    /// is scanned again when `due.rare` is set or `rescan` was asked for.
    pub fn pass(&mut self, due: Due) -> Reading<Vec<Arc<Netdev>>> {
        self.tally.set(0);
        let scan = due.rare || self.rescan || !self.listed;
        if scan {
            self.list()?;
        }
        let pass = Pass {
            root: &self.root,
            tally: &self.tally,
            due,
            scan,
            live: self.live,
            keep_open: self.interfaces.iter().filter(|i| i.is_fast()).count() <= KEPT,
            few_software: self.interfaces.iter().filter(|i| !i.is_fast()).count() <= FEW_SOFTWARE,
        };
        let mut netdevs = Vec::with_capacity(self.interfaces.len());
        self.interfaces.retain_mut(|interface| {
            interface.pass(&pass).map(|netdev| netdevs.push(netdev)).is_some()
        });
        Ok(netdevs)
    }

    /// The next pass lists the interfaces again (a link message said that they changed).
    pub fn rescan(&mut self) {
        self.rescan = true;
    }

    /// Files read in the last pass.
    pub fn reads(&self) -> u32 {
        self.tally.get()
    }

    fn list(&mut self) -> Reading<()> {
        // Plain files such as bonding_masters are no interfaces.
        let names = match files::dir_names(&self.root, CLASS) {
            Ok(names) => names,
            Err(unknown) => {
                self.interfaces.clear();
                self.listed = false;
                return Err(unknown);
            }
        };
        let mut old: HashMap<OsString, Interface> =
            self.interfaces.drain(..).map(|i| (i.name().to_owned(), i)).collect();
        let known =
            |name: OsString| old.remove(&name).unwrap_or_else(|| Interface::new(&self.root, name));
        self.interfaces = names.into_iter().map(known).collect();
        self.rescan = false;
        self.listed = true;
        Ok(())
    }
}

/// The directory of an interface.
fn open<'t>(root: &Root, name: &std::ffi::OsStr, tally: &'t Tally) -> Reading<Dir<'t>> {
    Dir::open(root, Path::new(CLASS).join(name), tally)
}
