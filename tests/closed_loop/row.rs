//! One row: make, find, mend twice, look again, undo.

use crate::lab::{Lab, Start, succeeded};
use crate::packets;
use crate::support::ns::{Ns, Rail};
use crate::support::railtop;
use serde_json::Value;
use std::collections::BTreeSet;

/// How real packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packets {
    /// Not looked at.
    None,
    /// Before the fix those of the second rail leave by the first, after it each by its own.
    Astray,
    /// Right before and after.
    Right,
    /// Right after the fix; before it, nothing is said.
    RightAfter,
}

/// A fault and what comes of it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The id, and a word more where an id has several rows.
    pub(crate) name: String,
    /// The findings that are to be there, and no others.
    pub(crate) roots: Vec<&'static str>,
    /// Their rails.
    pub(crate) rails: Vec<&'static str>,
    start: Start,
    make: &'static str,
    at_peer: &'static str,
    at_switch: &'static str,
    /// Done in host B when host A is ready.
    then_at_peer: &'static str,
    packets: Packets,
    /// Why no command can mend it.
    no_fix: Option<&'static str>,
    /// The fix gives exactly the state before the fault.
    restores: bool,
    /// What is there after the fix by nature.
    remains: Vec<&'static str>,
    /// What is told as a consequence, until the fix.
    pub(crate) follows: Vec<&'static str>,
    /// An InfiniBand interface without address beside the rails.
    bare_rail: Option<&'static str>,
    /// Why undo does not give exactly the state before the fix.
    undo_differs: Option<&'static str>,
    /// Options of railtop.
    options: &'static [&'static str],
    /// A capture of host B is given as a peer.
    beside_peer: bool,
}

/// A row named by its id; `make` is done in host A.
pub(crate) fn row(id: &'static str, start: Start, make: &'static str) -> Row {
    Row {
        name: id.to_owned(),
        roots: vec![id],
        rails: vec!["ib0", "ib1"],
        start,
        make,
        at_peer: "",
        at_switch: "",
        then_at_peer: "",
        packets: Packets::None,
        no_fix: None,
        restores: false,
        remains: Vec::new(),
        follows: Vec::new(),
        bare_rail: None,
        undo_differs: None,
        options: &[],
        beside_peer: false,
    }
}

/// What looks odd and is none of our business: nothing is to be told.
pub(crate) fn quiet(name: &'static str, start: Start, make: &'static str) -> Row {
    Row { roots: Vec::new(), rails: Vec::new(), ..row(name, start, make) }
        .no_fix("nothing is wrong")
        .packets(Packets::Right)
}

impl Row {
    pub(crate) fn called(self, word: &str) -> Self {
        Self { name: format!("{} {word}", self.name), ..self }
    }

    pub(crate) fn on(self, rails: &[&'static str]) -> Self {
        Self { rails: rails.to_vec(), ..self }
    }

    pub(crate) fn at_peer(self, at_peer: &'static str) -> Self {
        Self { at_peer, ..self }
    }

    pub(crate) fn then_at_peer(self, then_at_peer: &'static str) -> Self {
        Self { then_at_peer, ..self }
    }

    pub(crate) fn at_switch(self, at_switch: &'static str) -> Self {
        Self { at_switch, ..self }
    }

    pub(crate) fn packets(self, packets: Packets) -> Self {
        Self { packets, ..self }
    }

    pub(crate) fn no_fix(self, why: &'static str) -> Self {
        Self { no_fix: Some(why), ..self }
    }

    pub(crate) fn restores(self) -> Self {
        Self { restores: true, ..self }
    }

    /// Named by a consequence: `roots` are others.
    pub(crate) fn because(self, root: &'static str) -> Self {
        Self { follows: self.roots, roots: vec![root], ..self }
    }

    pub(crate) fn bare_rail(self, name: &'static str) -> Self {
        Self { bare_rail: Some(name), ..self }
    }

    pub(crate) fn undo_differs(self, why: &'static str) -> Self {
        Self { undo_differs: Some(why), ..self }
    }

    /// railtop gets these options.
    pub(crate) fn asking(self, options: &'static [&'static str]) -> Self {
        Self { options, ..self }
    }

    /// railtop gets a capture of host B.
    pub(crate) fn beside_peer(self) -> Self {
        Self { beside_peer: true, ..self }
    }

    pub(crate) fn remains(self, ids: &[&'static str]) -> Self {
        Self { remains: ids.to_vec(), ..self }
    }
}

pub(crate) fn run(row: &Row) -> Result<(), String> {
    let lab = Lab::new(row.start);
    let start = lab.state();
    lab.switch.sh(&format!("set -e; {}", row.at_switch));
    lab.b.sh(&format!("set -e; {}", row.at_peer));
    lab.a.sh(&format!("set -e; {}", row.make));
    let _extra = row.bare_rail.map(|name| Rail::new(&lab.a, name, ""));
    lab.settle();
    lab.b.sh(row.then_at_peer);
    let faulty = lab.state();
    let report = expect(&lab, row, &row.roots, "after the fault")?;
    rails_are(row, &report)?;
    let told = ids(&report);
    if let Some(id) = row.follows.iter().find(|id| !told.contains(**id)) {
        return Err(format!("{id} does not follow: {told:?}"));
    }
    packets_before(&lab, row)?;
    let steps = fixes(&lab, row)?;
    if let Some(why) = row.no_fix {
        return match lines(&steps, "commands").as_slice() {
            [] => Ok(()),
            some => Err(format!("there is a fix although {why}: {some:#?}")),
        };
    }
    let proofs = proofs(&lab, &steps)?;
    mend(&lab, row, &steps)?;
    for line in proofs {
        run_line(&lab.a, &line).map_err(|why| format!("not proven: {why}"))?;
    }
    let mended = lab.state();
    if row.restores {
        same("the state before the fault", &start, &mended)?;
    }
    packets_after(&lab, row)?;
    let report = expect(&lab, row, &row.remains, "after the fix")
        .map_err(|why| format!("{why}\nthe fix:\n{}", lines(&steps, "commands").join("\n")))?;
    let told = ids(&report);
    if let Some(id) = row.follows.iter().find(|id| told.contains(**id)) {
        return Err(format!("{id} is still there: {told:?}"));
    }
    for line in undo(&steps) {
        run_line(&lab.a, &line)?;
    }
    if row.undo_differs.is_some() {
        return Ok(());
    }
    same("the state before the fix", &faulty, &lab.state())
        .map_err(|why| format!("{why}\nthe undo:\n{}", undo(&steps).join("\n")))
}

fn ids(report: &Value) -> BTreeSet<&str> {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().filter_map(|f| f["id"].as_str()).collect()
}

/// The lines that prove the fix: each step that changes this node has one that fails before it.
/// What neighbours are forgotten may be learnt anew at once.
fn proofs(lab: &Lab, steps: &[Value]) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for step in steps {
        let proofs = lines(std::slice::from_ref(step), "verify");
        let commands = lines(std::slice::from_ref(step), "commands");
        let changes = commands.iter().any(|line| !line.contains(" neigh flush "));
        if changes && proofs.is_empty() {
            return Err(format!("nothing proves the fix of {}", step["finding"]));
        }
        let fails = |line: &String| run_line(&lab.a, line).is_err();
        if changes && !proofs.iter().any(fails) {
            return Err(format!("{}: before the fix these succeed: {proofs:#?}", step["finding"]));
        }
        all.extend(proofs);
    }
    Ok(all)
}

/// All commands, a second time without effect, and those of the peer.
fn mend(lab: &Lab, row: &Row, steps: &[Value]) -> Result<(), String> {
    let commands = lines(steps, "commands");
    let peer = lines(steps, "peer_commands");
    if commands.is_empty() && peer.is_empty() {
        return Err(format!("no commands for {:?}", row.roots));
    }
    for line in &commands {
        run_line(&lab.a, line)?;
    }
    let once = lab.state();
    for line in &commands {
        run_line(&lab.a, line).map_err(|why| format!("the second time: {why}"))?;
    }
    same("the state after the first run", &once, &lab.state())?;
    peer.iter().try_for_each(|line| run_line(&lab.b, line))
}

fn run_line(ns: &Ns, line: &str) -> Result<(), String> {
    let out = ns.command("sh").args(["-e", "-c", line]).output().expect("sh runs");
    succeeded(line, &out)
}

/// Each line is of one step, the steps in the order printed.
fn lines(steps: &[Value], key: &str) -> Vec<String> {
    let of = |step: &Value| -> Vec<String> {
        let lines = step[key].as_array().expect("an array");
        lines.iter().map(|l| l.as_str().expect("a string").to_owned()).collect()
    };
    steps.iter().flat_map(of).collect()
}

/// The last step first; each step's lines are in the order to type already.
fn undo(steps: &[Value]) -> Vec<String> {
    let reversed: Vec<Value> = steps.iter().rev().cloned().collect();
    lines(&reversed, "undo")
}

fn fixes(lab: &Lab, row: &Row) -> Result<Vec<Value>, String> {
    let object = json(lab, row, "fix")?;
    Ok(object["steps"].as_array().cloned().expect("steps"))
}

fn json(lab: &Lab, row: &Row, command: &str) -> Result<Value, String> {
    let mut railtop_a = lab.a.command(railtop());
    railtop_a.args([command, "--json", "--rail", "ib*", "--interval", "50ms"]).args(row.options);
    // The capture of the other host, as it is now.
    let dir = tempfile::tempdir().expect("a directory");
    if row.beside_peer {
        let target = dir.path().join("peer");
        let mut capture = lab.b.command(railtop());
        let done =
            capture.args(["capture", "-n", "1"]).arg(&target).output().expect("railtop runs");
        succeeded("railtop capture", &done)?;
        railtop_a.arg("--peer").arg(&target);
    }
    let out = railtop_a.output().expect("railtop runs");
    serde_json::from_slice(&out.stdout)
        .map_err(|e| format!("{command}: {e}: {}", String::from_utf8_lossy(&out.stderr)))
}

/// The findings that follow from nothing are exactly these. Notes count where they are expected.
fn expect(lab: &Lab, row: &Row, ids: &[&str], when: &str) -> Result<Value, String> {
    let report = json(lab, row, "check")?;
    let findings = report["findings"].as_array().expect("findings");
    let found: BTreeSet<&str> = findings
        .iter()
        .filter(|f| f["caused_by"].is_null())
        .filter(|f| {
            // A note the row made must go as well.
            let named = f["id"].as_str().is_some_and(|id| row.roots.contains(&id));
            named || f["severity"] != "note"
        })
        .filter_map(|f| f["id"].as_str())
        .collect();
    if found == ids.iter().copied().collect() {
        return Ok(report);
    }
    let told: Vec<String> = findings
        .iter()
        .map(|f| {
            format!(
                "  {} {} {} < {}: {}",
                f["severity"], f["id"], f["rails"], f["caused_by"], f["summary"]
            )
        })
        .collect();
    Err(format!(
        "{when}: expected {ids:?}, found {found:?}\n{}\nin the state\n{}",
        told.join("\n"),
        lab.state()
    ))
}

/// The roots are about the rails of the row.
fn rails_are(row: &Row, report: &Value) -> Result<(), String> {
    let findings = report["findings"].as_array().expect("findings");
    let rails: BTreeSet<&str> = findings
        .iter()
        .filter(|f| f["id"].as_str().is_some_and(|id| row.roots.contains(&id)))
        .flat_map(|f| f["rails"].as_array().expect("rails"))
        .filter_map(Value::as_str)
        .collect();
    let wanted = row.rails.iter().copied().collect();
    if rails == wanted { Ok(()) } else { Err(format!("about {rails:?}, not {wanted:?}")) }
}

fn packets_before(lab: &Lab, row: &Row) -> Result<(), String> {
    match row.packets {
        Packets::Astray => {
            let sent = packets::leave(lab, row.start);
            // What is wrong differs, that something is does not.
            if sent.is_ok() {
                Err("packets go right although the way is wrong".into())
            } else {
                Ok(())
            }
        }
        Packets::Right => packets::leave(lab, row.start).map_err(|e| format!("before: {e}")),
        Packets::None | Packets::RightAfter => Ok(()),
    }
}

fn packets_after(lab: &Lab, row: &Row) -> Result<(), String> {
    if row.packets == Packets::None {
        return Ok(());
    }
    packets::leave(lab, row.start)?;
    packets::arrive(lab, row.start)
}

/// Lines that are missing and lines that are new.
fn same(what: &str, wanted: &str, is: &str) -> Result<(), String> {
    if wanted == is {
        return Ok(());
    }
    let missing = wanted.lines().filter(|l| !is.lines().any(|i| i == *l)).map(|l| format!("- {l}"));
    let new = is.lines().filter(|l| !wanted.lines().any(|w| w == *l)).map(|l| format!("+ {l}"));
    let changed: Vec<String> = missing.chain(new).collect();
    if changed.is_empty() {
        return Err(format!("not {what}, only the order differs:\n{wanted}\n--\n{is}"));
    }
    Err(format!("not {what}:\n{}", changed.join("\n")))
}
