//! Generated nodes, read by the program itself: `railtop stream --from DIR`.

use super::tree::{Tree, scratch};
use super::{law, railtop};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A capture with any number of samples, one second apart.
#[derive(Debug)]
pub(crate) struct Shots {
    dir: TempDir,
}

impl Shots {
    /// A capture of `count` samples; `build` makes the tree of each.
    pub(crate) fn new(count: u32, build: impl Fn(&Tree, u32)) -> Self {
        let shots = Self { dir: scratch() };
        for number in 0..count {
            let tree = Tree::inside(&shots.sample(number));
            let meta = json!({
                "time": format!("2026-01-15T14:00:{:02}Z", number),
                "monotonic_seconds": 5000 + number,
                "host": "node7",
                "kernel": "6.12.0-railtop",
                "uid": 0,
            });
            tree.file("meta.json", &meta.to_string());
            build(&tree, number);
        }
        shots
    }

    /// Where the capture is.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The directory of one sample.
    pub(crate) fn sample(&self, number: u32) -> PathBuf {
        self.path().join(format!("samples/{:04}", number + 1))
    }

    /// The objects of `stream --from` it.
    #[track_caller]
    pub(crate) fn objects(&self) -> Vec<Value> {
        objects(self.path(), &[])
    }

    /// The same with more options.
    #[track_caller]
    pub(crate) fn objects_with(&self, args: &[&str]) -> Vec<Value> {
        objects(self.path(), args)
    }
}

/// The one object of a node.
#[track_caller]
pub(crate) fn shot(build: impl Fn(&Tree)) -> Value {
    let objects = Shots::new(1, |tree, _| build(tree)).objects();
    objects.into_iter().next().unwrap()
}

/// The object of the last of `count` samples.
#[track_caller]
pub(crate) fn last(count: u32, build: impl Fn(&Tree, u32)) -> Value {
    Shots::new(count, build).objects().pop().unwrap()
}

/// `railtop ARGS… --from PATH`, whatever comes of it.
pub(crate) fn from(path: &Path, args: &[&str]) -> Output {
    Command::new(railtop())
        .args(args)
        .arg("--from")
        .arg(path)
        .env_remove("RAILTOP_LNETCTL")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Every object of `stream --from PATH`, each within the law.
#[track_caller]
pub(crate) fn objects(path: &Path, args: &[&str]) -> Vec<Value> {
    let out = from(path, &[&["stream"], args].concat());
    let errors = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{errors}");
    assert_eq!(errors, "");
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    assert!(!law::has_control(&text), "control characters in the output");
    let objects: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("one object per line")).collect();
    for object in &objects {
        let broken = law::broken(object);
        assert!(broken.is_empty(), "{broken:#?}");
    }
    objects
}

/// Names of the rails in their order.
pub(crate) fn rails(object: &Value) -> Vec<&str> {
    names(&object["rails"])
}

/// The `name` of every item of a list, or the items themselves where they are texts.
pub(crate) fn names(list: &Value) -> Vec<&str> {
    let all = list.as_array().expect("a list");
    all.iter().filter_map(|item| item.as_str().or_else(|| item["name"].as_str())).collect()
}

/// `ID severity` of the findings that follow from no other.
pub(crate) fn roots(object: &Value) -> Vec<String> {
    let all = object["findings"].as_array().expect("a list");
    let root = |f: &&Value| f["caused_by"].is_null();
    let words =
        |f: &Value| format!("{} {}", f["id"].as_str().unwrap(), f["severity"].as_str().unwrap());
    all.iter().filter(root).map(words).collect()
}

/// `WHAT: names` of what is not shown.
pub(crate) fn not_shown(object: &Value) -> Vec<String> {
    let all = object["not_shown"].as_array().expect("a list");
    all.iter()
        .map(|n| format!("{}: {}", n["what"].as_str().unwrap(), names(&n["names"]).join(" ")))
        .collect()
}

/// Why a field of an object is not known.
pub(crate) fn why<'a>(object: &'a Value, field: &str) -> &'a str {
    assert!(object[field].is_null(), "{field} is {}", object[field]);
    object["unknown"][field]["why"].as_str().expect("a reason")
}
