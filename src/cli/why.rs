//! `railtop why`: why a rail carries what it carries, layer by layer.

use super::args::{Global, Why};
use super::error::Failure;
use super::{check, open, rails};
use crate::check::assess;
use crate::node::Node;
use crate::report::{json, why};
use crate::sample::Text;

/// Reads what a judgement needs, judges, prints one rail or all.
pub(super) fn run(global: &Global, options: &Why) -> Result<u8, Failure> {
    let source = rails::must_match(open::for_report(global)?, global)?;
    let node = check::settled(source, global, &global.settings())?;
    let chosen = options.name.as_deref().map(|name| find(&node, name)).transpose()?;
    let assessment = assess(&node);
    let report = match (options.json, chosen) {
        (true, Some(index)) => format!("{}\n", json::why::rail(&node, &assessment, index)),
        (true, None) => format!("{}\n", json::why::rails(&node, &assessment)),
        (false, Some(index)) => why::text(&node, &assessment, &[index]),
        (false, None) => why::text(&node, &assessment, &(0..node.rails.len()).collect::<Vec<_>>()),
    };
    super::print(&report)
}

/// By any of its names.
fn find(node: &Node, name: &str) -> Result<usize, Failure> {
    let is_it = |rail: &crate::node::Rail| rail.names().any(|known| known == name);
    node.rails.iter().position(is_it).ok_or_else(|| {
        let names: Vec<&str> = node.rails.iter().map(|r| r.name.as_str()).collect();
        let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Failure::Usage(Text::new(&format!("no rail is called {name:?}; there are: {there}")))
    })
}
