//! The report of `railtop path`: the decision matrix, and what the kernel itself says.

use crate::check::paths::{Cell, Matrix, State};
use serde_json::{Value, json};
use std::fmt::Write;

/// What the kernel answered to the same question; `None` where it was not asked.
pub type Kernel = Option<Result<KernelAnswer, String>>;

/// The kernel's own decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelAnswer {
    /// The device, by name.
    pub device: Option<String>,
    /// The table, where it tells (IPv4).
    pub table: Option<u32>,
    /// The errno of a refusal.
    pub refused: bool,
}

/// Does the kernel decide as the model does? `None`: not asked, or no answer.
pub fn agrees(cell: &Cell, kernel: &Kernel) -> Option<bool> {
    let answer = kernel.as_ref()?.as_ref().ok()?;
    if cell.devices.is_empty() {
        // A local destination is told with the loopback device.
        return Some(answer.refused == cell.refused.is_some());
    }
    let device = answer.device.as_deref().is_some_and(|d| cell.devices.iter().any(|c| c == d));
    let table = answer.table.is_none() || cell.table.is_none() || answer.table == cell.table;
    Some(!answer.refused && device && table)
}

/// The machine form.
pub fn json(matrix: &Matrix, kernel: &[Kernel]) -> Value {
    let cells: Vec<Value> = matrix
        .cells
        .iter()
        .enumerate()
        .map(|(i, cell)| {
            let mut out = json!({
                "from": cell.from,
                "to": cell.to,
                "dev": cell.devices.first(),
                "devices": cell.devices,
                "table": cell.table,
                "rule_preference": cell.rule_preference,
                "owner": cell.owner,
                "right": cell.right,
                "state": cell.state(),
                "other_subnet": cell.aside,
                "kernel_agrees": kernel.get(i).and_then(|k| agrees(cell, k)),
            });
            if let (Some(why), Some(object)) = (&cell.refused, out.as_object_mut()) {
                object.insert("refused".into(), json!(why));
            }
            out
        })
        .collect();
    json!({ "cells": cells, "known_destinations": matrix.known })
}

/// The table for people. `explain` is asked for the lines below a cell that is not right.
pub fn text(matrix: &Matrix, kernel: &[Kernel], explain: impl Fn(&Cell) -> Vec<String>) -> String {
    let row = |from: &Option<std::net::IpAddr>| {
        from.map_or_else(|| "unbound".to_owned(), |a| a.to_string())
    };
    let first = matrix.from.iter().map(|f| row(f).len()).max().unwrap_or(0).max(9);
    let word = |from, to| {
        let at = matrix.cells.iter().position(|c| c.from == from && c.to == to)?;
        Some(told(&matrix.cells[at], kernel.get(at).unwrap_or(&None)))
    };
    let widths: Vec<usize> = matrix
        .to
        .iter()
        .map(|to| {
            let cells = matrix.from.iter().filter_map(|f| word(*f, *to)).map(|w| w.chars().count());
            cells.max().unwrap_or(0).max(to.to_string().len())
        })
        .collect();
    let mut out = format!("{:first$}", "FROM \\ TO");
    for (to, width) in matrix.to.iter().zip(&widths) {
        let _ = write!(out, "  {:width$}", to.to_string());
    }
    out = out.trim_end().to_owned() + "\n";
    for from in &matrix.from {
        let mut line = format!("{:first$}", row(from));
        for (to, width) in matrix.to.iter().zip(&widths) {
            let _ = write!(line, "  {:width$}", word(*from, *to).unwrap_or_else(|| "–".into()));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if matrix.known > matrix.to.len() {
        let known = matrix.known;
        let _ = writeln!(
            out,
            "{} of {known} known peers and neighbours; name others: railtop path DST",
            matrix.to.len()
        );
    }
    if matrix.cells.iter().any(|c| c.state() == State::OtherSubnet) {
        out.push_str("·  a subnet of another rail: by that one\n");
    }
    for (i, cell) in matrix.cells.iter().enumerate() {
        let differs = kernel.get(i).and_then(|k| agrees(cell, k)) == Some(false);
        if cell.is_plain() && !differs {
            continue;
        }
        let _ = writeln!(out, "\n{} to {}: {}", row(&cell.from), cell.to, cell.story());
        for line in explain(cell) {
            let _ = writeln!(out, "  {line}");
        }
        if let Some(Some(Ok(answer))) = kernel.get(i).filter(|_| differs) {
            let words = kernels(answer);
            let _ = writeln!(out, "  the kernel decides otherwise: {words}; please report this");
        }
    }
    out
}

fn told(cell: &Cell, kernel: &Kernel) -> String {
    let kernel = if agrees(cell, kernel) == Some(false) { " ≠kernel" } else { "" };
    format!("{}{kernel}", cell.short())
}

/// What the kernel says instead.
fn kernels(answer: &KernelAnswer) -> String {
    let way = match (&answer.device, answer.refused) {
        (_, true) => return "it refuses".to_owned(),
        (Some(device), false) => format!("it takes {device}"),
        (None, false) => "it takes no device that is known here".to_owned(),
    };
    match answer.table {
        Some(table) => format!("{way} by table {table}"),
        None => way,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_answer_in_words() {
        let answer = |device: Option<&str>, table, refused| {
            kernels(&KernelAnswer { device: device.map(Into::into), table, refused })
        };
        assert_eq!(answer(Some("ib1"), Some(942), false), "it takes ib1 by table 942");
        assert_eq!(answer(Some("ib1"), None, false), "it takes ib1");
        assert_eq!(answer(None, None, true), "it refuses");
        assert_eq!(answer(None, None, false), "it takes no device that is known here");
    }
}
