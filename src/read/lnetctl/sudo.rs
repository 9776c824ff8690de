//! Asking as another user: `sudo -n lnetctl …`, and the rule that allows just that.

use super::probe;
use super::question::Question;
use crate::read::root::Root;
use crate::sample::Text;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The program that is run, and how.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    /// `sudo`, where it was asked for.
    pub(super) sudo: Option<PathBuf>,
}

impl Program {
    /// What to run, and with which words.
    pub(super) fn command(&self, question: Question) -> (&Path, Vec<&OsStr>) {
        let words = question.arguments().iter().map(OsStr::new);
        match &self.sudo {
            // `-n`: it never asks for a password.
            Some(sudo) => {
                let before = [OsStr::new("-n"), self.path.as_os_str()];
                (sudo, before.into_iter().chain(words).collect())
            }
            None => (&self.path, words.collect()),
        }
    }
}

/// `/usr/bin/sudo`, then PATH, where lnetctl is looked for too.
pub(super) fn find(root: &Root, path: Option<&OsStr>) -> Option<PathBuf> {
    probe::program("usr/bin", "sudo", root, path)
}

/// The line of sudoers that lets this user ask what railtop asks, and nothing else: no wildcard,
/// because `lnetctl import` and `net del` take LNet down.
pub(super) fn rule(user: &str, program: &Path) -> Text {
    // sudoers(5): these have a meaning in a command, `\` takes it away.
    let mut path = String::new();
    for c in program.to_string_lossy().chars() {
        if matches!(c, ',' | ':' | '=' | '\\' | ' ' | '*' | '?' | '[' | ']' | '!') {
            path.push('\\');
        }
        path.push(c);
    }
    let commands: Vec<String> =
        Question::COMMANDS.map(|q| format!("{path} {}", q.arguments().join(" "))).into();
    Text::from(format!("{user} ALL=(root) NOPASSWD: {}", commands.join(", ")))
}

/// The name of a user as sudoers takes it: from `/etc/passwd`, else `#uid`, which it takes too.
pub(super) fn user(root: &Root, uid: u32) -> String {
    let text = std::fs::read_to_string(root.join("etc/passwd")).unwrap_or_default();
    let name = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(uid)).then(|| name.to_owned())
    });
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    name.filter(|n| !n.is_empty() && n.bytes().all(plain)).unwrap_or_else(|| format!("#{uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_seven_commands() {
        let rule = rule("ana", Path::new("/usr/sbin/lnetctl"));
        assert_eq!(
            rule,
            "ana ALL=(root) NOPASSWD: /usr/sbin/lnetctl net show -v 4, \
             /usr/sbin/lnetctl peer show -v 4, /usr/sbin/lnetctl stats show, \
             /usr/sbin/lnetctl global show, /usr/sbin/lnetctl route show -v, \
             /usr/sbin/lnetctl routing show, /usr/sbin/lnetctl udsp show"
        );
        assert!(!rule.contains('*'));
    }

    #[test]
    fn what_is_run_is_what_the_rule_allows() {
        let program =
            Program { path: "/usr/sbin/lnetctl".into(), sudo: Some("/usr/bin/sudo".into()) };
        let rule = rule("ana", &program.path);
        let (_, commands) = rule.split_once("NOPASSWD: ").unwrap();
        let allowed: Vec<&str> = commands.split(", ").collect();
        for question in Question::COMMANDS {
            let (what, words) = program.command(question);
            assert_eq!((what, words[0]), (Path::new("/usr/bin/sudo"), OsStr::new("-n")));
            let line: Vec<&str> = words[1..].iter().map(|w| w.to_str().unwrap()).collect();
            assert!(allowed.contains(&line.join(" ").as_str()), "{line:?}");
        }
        assert_eq!(allowed.len(), Question::COMMANDS.len());
    }

    #[test]
    fn users_by_name_or_number() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        assert_eq!(user(&root, 1000), "#1000");
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::fs::write(
            dir.path().join("etc/passwd"),
            "root:x:0:0::/root:/bin/sh\nana:x:1000:1000::/:/bin/sh\na b=ALL:x:7:7::/:/bin/sh\n",
        )
        .unwrap();
        assert_eq!((user(&root, 1000), user(&root, 0)), ("ana".into(), "root".into()));
        assert_eq!(user(&root, 7), "#7", "a name that sudoers would take for something else");
    }
}
