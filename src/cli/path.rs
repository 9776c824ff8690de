//! `railtop path`: which rail the kernel takes.

use super::args::{Global, Path};
use super::error::Failure;
use super::{check, open, rails};
use crate::check::paths::{self, Cell, Matrix};
use crate::fib::Fib;
use crate::node::{Node, SourceKind};
use crate::read::rtnl::{NoRoute, Query, Rtnl};
use crate::report::paths::{Kernel, KernelAnswer, json, text};
use crate::sample::Text;
use std::net::IpAddr;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(1);

/// Decides, asks the kernel as well where there is one, prints.
pub(super) fn run(global: &Global, options: &Path) -> Result<u8, Failure> {
    // `--from` names a capture everywhere; an address there is a source.
    let named = global.from.as_ref().and_then(|p| p.to_str()?.parse::<IpAddr>().ok());
    let here = Global { from: global.from.clone().filter(|_| named.is_none()), ..global.clone() };
    let global = &here;
    let source = rails::must_match(open::source(global)?, global)?;
    let live = source.kind() == SourceKind::Live;
    let node = check::first_whole(source, global)?;
    let matrix = paths::matrix(&node, options.source.or(named), &options.destinations)
        .map_err(|why| Failure::Failed(Text::new(&format!("routes cannot be judged: {why}"))))?;
    if matrix.to.is_empty() {
        return Err(Failure::Usage(
            "no rail has an address with a prefix to probe: name a destination".into(),
        ));
    }
    let kernel = if live { ask(&node, &matrix) } else { vec![None; matrix.cells.len()] };
    if options.json {
        return super::print(&format!("{}\n", json(&matrix, &kernel)));
    }
    super::print(&text(&matrix, &kernel, |cell| explain(&node, cell)))
}

fn explain(node: &Node, cell: &Cell) -> Vec<String> {
    let Ok(links) = &node.links else { return Vec::new() };
    let kernel = node.host.kernel.as_deref().ok();
    Fib::new(links, &node.routing, &node.sysctls, kernel).explain(&cell.query, &cell.decision)
}

fn ask(node: &Node, matrix: &Matrix) -> Vec<Kernel> {
    let Ok(rtnl) = Rtnl::start(|_| {}) else { return vec![None; matrix.cells.len()] };
    matrix.cells.iter().map(|cell| Some(one(node, &rtnl, cell))).collect()
}

fn one(node: &Node, rtnl: &Rtnl, cell: &Cell) -> Result<KernelAnswer, String> {
    let name = |index: u32| {
        let links = node.links.as_ref().ok()?;
        links.iter().find(|l| l.index == index).map(|l| l.name.to_string())
    };
    let query = Query { src: cell.from, oif: cell.query.oif, ..Query::to(cell.to) };
    match rtnl.route_get(&query, PATIENCE) {
        Ok(answer) => Ok(KernelAnswer {
            device: answer.ifindex.and_then(name),
            table: (cell.to.is_ipv4()).then_some(answer.table),
            refused: false,
        }),
        Err(NoRoute::Refused(_)) => Ok(KernelAnswer { device: None, table: None, refused: true }),
        Err(NoRoute::Unknown(why)) => Err(why.to_string()),
    }
}
