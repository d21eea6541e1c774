//! The commands that errors name as their cure, as they are called where the program runs.
//!
//! A sentence that names a command is followed literally, so it has to name one that is there: on a cluster
//! the commands are `kafka-consumer`'s, in `milena` they are its own, and they need the options that this
//! program was started with. The program says once, at its start, which form it is; everybody else asks here.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::OnceLock;

static FORM: OnceLock<Form> = OnceLock::new();

/// How the commands are called here.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Form {
    kind: Kind,
    /// Such as `kafka-consumer`, or a path to it.
    program: String,
    /// Such as ` --config milena.toml`, or nothing.
    options: String,
}

/// What runs here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Backends and consumers, each a process; the commands are `kafka-consumer`'s.
    Cluster,
    /// `milena`, which has the commands itself.
    OneProgram,
}

impl Kind {
    const fn program(self) -> &'static str {
        match self {
            Self::Cluster => "kafka-consumer",
            Self::OneProgram => "milena",
        }
    }
}

/// Says which form this process is, and the options that a command needs to reach the same log and store. The
/// first call counts; without one the commands are called as on a cluster.
pub fn set_form(kind: Kind, options: &[(&str, &OsStr)]) {
    let options = options.iter().map(|(name, value)| format!(" {name} {}", quoted(value))).collect();
    let called = std::env::args_os().next().unwrap_or_default();
    let _ = FORM.set(Form { kind, program: program(kind, Path::new(&called)), options });
}

/// As the shell finds it: by its name, or by the path by which this program was called.
fn program(kind: Kind, called: &Path) -> String {
    let beside = called.with_file_name(kind.program());
    let by_path = called.parent().is_some_and(|folder| !folder.as_os_str().is_empty());
    if by_path && beside.is_file() { quoted(beside.as_os_str()) } else { kind.program().to_owned() }
}

/// For a shell; plain where that is enough.
fn quoted(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+,:@".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A URL as an option, or the word for one that may have a password in it.
#[must_use]
pub fn without_secret(url: &str) -> &OsStr {
    OsStr::new(if url.contains('@') { "URL" } else { url })
}

fn form() -> Form {
    FORM.get().cloned().unwrap_or_else(|| {
        let kind = Kind::Cluster;
        Form { kind, program: kind.program().to_owned(), options: String::new() }
    })
}

/// A command in the words in which it works here, in backquotes: `` `kafka-consumer new-epoch` ``.
#[must_use]
pub fn command(words: &str) -> String {
    form().command(words)
}

/// What has to run for messages to be stored, and for what they need to be created.
#[must_use]
pub fn whoever_stores() -> String {
    form().whoever_stores()
}

/// All that has to be stopped and started again around a new epoch.
#[must_use]
pub fn all_programs() -> &'static str {
    form().all_programs()
}

impl Form {
    fn command(&self, words: &str) -> String {
        format!("`{} {words}{}`", self.program, self.options)
    }

    fn whoever_stores(&self) -> String {
        match self.kind {
            Kind::Cluster => format!("{} or a backend", self.command("run")),
            Kind::OneProgram => format!("`{}{}`", self.program, self.options),
        }
    }

    const fn all_programs(&self) -> &'static str {
        match self.kind {
            Kind::Cluster => "all consumers and backends",
            Kind::OneProgram => "milena",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_called_as_the_program_was() {
        let folder = tempfile::tempdir().unwrap();
        let called = folder.path().join("backend");
        assert_eq!(program(Kind::Cluster, &called), "kafka-consumer", "there is none beside it");
        std::fs::write(folder.path().join("kafka-consumer"), "").unwrap();
        let beside = folder.path().join("kafka-consumer");
        assert_eq!(program(Kind::Cluster, &called), beside.to_str().unwrap());
        assert_eq!(program(Kind::Cluster, Path::new("backend")), "kafka-consumer", "by the search path");
    }

    #[test]
    fn options_are_quoted_for_a_shell() {
        assert_eq!(quoted(OsStr::new("/srv/milena-1/data")), "/srv/milena-1/data");
        assert_eq!(quoted(OsStr::new("/home/a b/it's")), r"'/home/a b/it'\''s'");
    }

    #[test]
    fn each_form_has_its_words() {
        let form = |kind: Kind| Form { kind, program: kind.program().into(), options: " --config c".into() };
        assert_eq!(form(Kind::Cluster).command("new-epoch"), "`kafka-consumer new-epoch --config c`");
        assert_eq!(form(Kind::OneProgram).command("dead list"), "`milena dead list --config c`");
        assert_eq!(form(Kind::OneProgram).whoever_stores(), "`milena --config c`");
    }
}
