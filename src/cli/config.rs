//! The configuration files, and `railtop config`.

use super::args::Global;
use super::error::Failure;
use crate::config::{self, Config, File};
use crate::sample::Text;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Nobody writes that much by hand.
const LONGEST: u64 = 1024 * 1024;

/// The files that were read and what they say together.
pub(super) struct Loaded {
    pub(super) files: Vec<File>,
    pub(super) config: Config,
}

/// Reads `--config FILE`, else the site's and the user's file where they exist.
pub(super) fn load(global: &Global) -> Result<Loaded, Failure> {
    let files = match &global.config {
        Some(path) => vec![must(path)?],
        None => usual()
            .iter()
            .filter_map(|path| read(path, false).transpose())
            .collect::<Result<_, _>>()?,
    };
    let config = Config::of(&files).map_err(|e| refused(&e.to_string()))?;
    Ok(Loaded { files, config })
}

fn usual() -> Vec<PathBuf> {
    let set = |name: &str| {
        let value = std::env::var_os(name).map(PathBuf::from);
        value.filter(|path| path.is_absolute())
    };
    let user = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")));
    let site = PathBuf::from("/etc/railtop/config.toml");
    std::iter::once(site).chain(user.map(|dir| dir.join("railtop/config.toml"))).collect()
}

fn must(path: &Path) -> Result<File, Failure> {
    let absent = || refused(&format!("{}: no such file", path.display()));
    read(path, true)?.ok_or_else(absent)
}

/// A file, if it exists.
fn read(path: &Path, asked: bool) -> Result<Option<File>, Failure> {
    let shown = path.display().to_string();
    let mut text = String::new();
    let tried = std::fs::File::open(path).and_then(|f| f.take(LONGEST).read_to_string(&mut text));
    match tried {
        Ok(_) => File::parse(&shown, &text).map(Some).map_err(|e| refused(&e.to_string())),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        // The usual places are not asked for: HOME may be somebody else's.
        Err(e) if e.kind() == ErrorKind::PermissionDenied && !asked => {
            super::warn(&format!("{shown}: {e}; going on without it"));
            Ok(None)
        }
        Err(e) => Err(refused(&format!("{shown}: {e}"))),
    }
}

fn refused(words: &str) -> Failure {
    Failure::Usage(Text::new(&format!("configuration: {words}; see railtop config --help")))
}

/// `railtop config`: what is in force.
pub(super) fn show(global: &Global, loaded: &Loaded, given: &[&str]) -> Result<u8, Failure> {
    super::print(&config::effective(&global.in_force, &loaded.files, given))
}
