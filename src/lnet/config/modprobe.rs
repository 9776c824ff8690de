//! `options` lines of modprobe files, as modprobe hands them on and the kernel takes them apart.
//!
//! modprobe joins the rest of all `options MODULE …` lines, in the order of the files, and does
//! not look into them (`libkmod/libkmod-config.c`). The kernel splits at blanks; only `"` keeps
//! blanks together, `'` is a character as any other (`lib/cmdline.c`, `next_arg()`). Of a string
//! parameter the last value counts. Tried on Linux 6.1 with kmod 30: `'max_loop="8"'` is an
//! unknown parameter, ignored; so is each word behind a `#`; a name without a value, or a string
//! of more than 1024 bytes, makes the kernel refuse the module (EINVAL, ENOSPC).

use super::Problem;
use crate::sample::{LnetFile, Text};

/// A parameter that a file sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `lnet`, `ksocklnd`, `ko2iblnd`, …
    pub module: Text,
    /// `networks`, `ip2nets`, …; dashes are written as underscores.
    pub name: Text,
    /// Its value without quotes.
    pub value: Text,
    /// The file.
    pub path: Text,
}

/// Longer values of string parameters make the kernel refuse the module (`param_set_charp`).
pub const VALUE_LIMIT: usize = 1024;

/// Directories in which modprobe looks; of files with the same name, the first directory's
/// counts (modprobe.d(5)).
const DIRECTORIES: [&str; 5] = [
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
];

/// The files in the order in which modprobe reads them, without those that another hides.
pub fn ordered(files: &[LnetFile]) -> Vec<&LnetFile> {
    let mut found: Vec<(&str, usize, &LnetFile)> = files
        .iter()
        .filter_map(|file| {
            let (directory, name) = file.path.rsplit_once('/')?;
            let rank = DIRECTORIES.iter().position(|d| *d == directory)?;
            // As modprobe does: the case counts.
            let is_conf = name.strip_suffix(".conf").is_some();
            is_conf.then_some((name, rank, file))
        })
        .collect();
    found.sort_by_key(|(name, rank, _)| (*name, *rank));
    found.dedup_by_key(|(name, _, _)| *name);
    found.into_iter().map(|(_, _, file)| file).collect()
}

/// The lines of a file as modprobe reads them: a `\\` at the end joins the next, `#` begins a
/// line that is passed over.
pub fn joined(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for line in text.lines() {
        if let Some(part) = line.strip_suffix('\\') {
            open.push_str(part);
            continue;
        }
        open.push_str(line);
        lines.push(std::mem::take(&mut open));
    }
    lines.push(open);
    lines.retain(|l| !l.trim_start().is_empty() && !l.trim_start().starts_with('#'));
    lines
}

/// One word of the options.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Word<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

/// Takes options apart as the kernel does.
fn words(mut rest: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return words;
        }
        let open = rest.starts_with('"');
        let args = rest.strip_prefix('"').unwrap_or(rest);
        let (mut quoted, mut equals, mut end) = (open, None, args.len());
        for (at, c) in args.char_indices() {
            match c {
                '"' => quoted = !quoted,
                '=' if at > 0 && equals.is_none() => equals = Some(at),
                c if c.is_ascii_whitespace() && !quoted => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        let (word, behind) = args.split_at_checked(end).unwrap_or((args, ""));
        rest = behind;
        let unclosed = |text: &'_ str| text.strip_suffix('"').map_or(text.len(), str::len);
        let cut = |text: &'_ str| if open { unclosed(text) } else { text.len() };
        words.push(match equals.and_then(|at| Some((word.get(..at)?, word.get(at + 1..)?))) {
            Some((name, value)) => {
                let value = match value.strip_prefix('"') {
                    Some(inner) => inner.strip_suffix('"').unwrap_or(inner),
                    None => value.get(..cut(value)).unwrap_or(value),
                };
                Word { name, value: Some(value) }
            }
            None => Word { name: word.get(..cut(word)).unwrap_or(word), value: None },
        });
    }
}

/// What an `options` line sets; anything else sets nothing.
pub fn line(line: &str, path: &Text, problems: &mut Vec<Problem>) -> Vec<Setting> {
    let blank = |c| matches!(c, ' ' | '\t');
    let Some((keyword, rest)) = line.trim_start_matches(blank).split_once(blank) else {
        return Vec::new();
    };
    let Some((module, options)) = rest.trim_start_matches(blank).split_once(blank) else {
        return Vec::new();
    };
    if keyword != "options" {
        return Vec::new();
    }
    let module = Text::new(&module.replace('-', "_"));
    let mut settings = Vec::new();
    for word in words(options) {
        let name = word.name.replace('-', "_");
        if let Some((id, summary)) = problem(&module, &name, word.value) {
            problems.push(Problem { id, path: path.clone(), summary });
        }
        if let Some(value) = word.value {
            settings.push(Setting {
                module: module.clone(),
                name: Text::new(&name),
                value: Text::new(value),
                path: path.clone(),
            });
        }
    }
    settings
}

/// What is wrong with a word of the options, if it is one that configures nets.
fn problem(module: &Text, name: &str, value: Option<&str>) -> Option<(&'static str, String)> {
    const OURS: [&str; 3] = ["networks", "ip2nets", "routes"];
    const MISTAKEN: [&str; 5] = ["network", "ip2net", "net", "nets", "route"];
    if module != "lnet" {
        return None;
    }
    let Some(value) = value else {
        if name.starts_with('#') {
            let what = "`#` within a line begins no comment: the kernel takes each word behind \
                        it for a parameter";
            return Some(("COMMENT_IN_OPTIONS", what.into()));
        }
        return OURS.contains(&name).then(|| {
            let what = format!(
                "{name} stands without a value (a blank before `=`?): the kernel refuses to \
                 load lnet"
            );
            ("VALUE_MISSING", what)
        });
    };
    if name.starts_with('\'') {
        let what = format!(
            "neither modprobe nor the kernel knows single quotes: the parameter is called \
             {name} there, lnet has none of that name, so it is ignored; write {}=\"…\"",
            name.trim_start_matches('\'')
        );
        return Some(("SINGLE_QUOTES", what));
    }
    if MISTAKEN.contains(&name) {
        let what = format!(
            "lnet has no parameter {name}, so the kernel ignores it; it has networks, ip2nets \
             and routes"
        );
        return Some(("UNKNOWN_PARAMETER", what));
    }
    (value.len() > VALUE_LIMIT).then(|| {
        let what = format!(
            "{name} is {} bytes long: the kernel takes no more than {VALUE_LIMIT} for a \
             parameter and refuses to load lnet",
            value.len()
        );
        ("VALUE_TOO_LONG", what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> (Vec<(String, String)>, Vec<&'static str>) {
        let mut problems = Vec::new();
        let settings = line(text, &"/etc/modprobe.d/lnet.conf".into(), &mut problems);
        let settings = settings.iter().map(|s| (s.name.to_string(), s.value.to_string())).collect();
        (settings, problems.iter().map(|p| p.id).collect())
    }

    #[track_caller]
    fn assert_set(text: &str, wanted: &[(&str, &str)], problems: &[&str]) {
        let (settings, found) = set(text);
        let settings: Vec<_> = settings.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(settings, wanted, "{text}");
        assert_eq!(found, problems, "{text}");
    }

    #[test]
    fn words_as_the_kernel_splits_them() {
        assert_set("options lnet networks=tcp0(eth2)", &[("networks", "tcp0(eth2)")], &[]);
        assert_set(
            "  options\tlnet  networks=\"o2ib(ib0, ib1)\" routes=\"\" forwarding=enabled",
            &[("networks", "o2ib(ib0, ib1)"), ("routes", ""), ("forwarding", "enabled")],
            &[],
        );
        assert_set(
            "options lnet \"ip2nets=tcp(eth0) 10.*.*.*; tcp1 *.*.*.*\" accept=all",
            &[("ip2nets", "tcp(eth0) 10.*.*.*; tcp1 *.*.*.*"), ("accept", "all")],
            &[],
        );
        assert_set("options lnet networks=a\" b\"c", &[("networks", "a\" b\"c")], &[]);
        assert_set("options lnet networks=\"tcp", &[("networks", "tcp")], &[]);
        assert_set("options lnet networks=\"", &[("networks", "")], &[]);
        assert_set("options lnet =x \"", &[], &[]);
        assert_set("alias lnet networks=tcp", &[], &[]);
        assert_set("options lnet", &[], &[]);
        assert_set("", &[], &[]);
    }

    #[test]
    fn what_is_not_understood_is_told() {
        assert_set(
            "options lnet 'networks=\"o2ib(ib0,ib1)\"'",
            &[("'networks", "o2ib(ib0,ib1)\"'")],
            &["SINGLE_QUOTES"],
        );
        assert_set("options lnet networks = tcp", &[], &["VALUE_MISSING"]);
        assert_set(
            "options lnet networks=tcp # rail one",
            &[("networks", "tcp")],
            &["COMMENT_IN_OPTIONS"],
        );
        assert_set("options lnet network=tcp", &[("network", "tcp")], &["UNKNOWN_PARAMETER"]);
        let long = format!("options lnet ip2nets={}", "x".repeat(VALUE_LIMIT + 1));
        assert_eq!(set(&long).1, ["VALUE_TOO_LONG"]);
        let fits = format!("options lnet ip2nets={}", "x".repeat(VALUE_LIMIT));
        assert_eq!(set(&fits).1, Vec::<&str>::new());
    }

    #[test]
    fn files_by_name_and_the_directory_that_hides() {
        let file = |path: &str| LnetFile { path: path.into(), lines: Ok(Vec::new()) };
        let files = [
            file("/usr/lib/modprobe.d/a.conf"),
            file("/etc/modprobe.d/z.conf"),
            file("/etc/modprobe.d/a.conf"),
            file("/lib/modprobe.d/m.conf"),
            file("/etc/modprobe.d/notes.txt"),
            file("/etc/lnet.conf"),
        ];
        let order: Vec<&str> = ordered(&files).iter().map(|f| f.path.as_str()).collect();
        let wanted = ["/etc/modprobe.d/a.conf", "/lib/modprobe.d/m.conf", "/etc/modprobe.d/z.conf"];
        assert_eq!(order, wanted);
    }
}
