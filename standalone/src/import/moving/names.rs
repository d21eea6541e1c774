//! What people and rooms of an export are called here: what the names file says, else what the export calls
//! them, made different where two are called alike.
//!
//! The same export gives the same names in every run: they follow from its order alone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::import::line::{self, NAME_MAX_CHARS};

/// What a names file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NamesFile {
    /// By the key of the export, or by the name there.
    #[serde(default)]
    people: BTreeMap<String, String>,
    /// The same of rooms; an empty name leaves a room out.
    #[serde(default)]
    rooms: BTreeMap<String, String>,
}

impl NamesFile {
    /// Reads it.
    ///
    /// # Errors
    /// When it cannot be read, is not of the form, or has a name that is none.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the names file {} cannot be read", path.display()))?;
        let names: Self = toml::from_str(&text)
            .with_context(|| format!("the names file {} is not of the expected form", path.display()))?;
        for (key, name) in &names.people {
            if let Err(problem) = line::name("the name", name) {
                bail!("the names file {}: people, {key:?}: {problem}", path.display());
            }
        }
        for (key, name) in names.rooms.iter().filter(|(_, name)| !name.is_empty()) {
            if let Err(problem) = line::name("the name", name) {
                bail!("the names file {}: rooms, {key:?}: {problem}", path.display());
            }
        }
        Ok(names)
    }
}

/// A name that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// By what the export names it.
    pub(crate) key: String,
    /// What the export calls it.
    pub(crate) original: String,
    /// What it is called here; empty where it is left out.
    pub(crate) name: String,
}

/// Names of one kind, people or rooms.
#[derive(Debug, Default)]
pub(crate) struct Names {
    chosen: BTreeMap<String, String>,
    by_key: HashMap<String, String>,
    taken: HashSet<String>,
    given: Vec<Named>,
}

impl Names {
    fn new(chosen: BTreeMap<String, String>) -> Self {
        // What somebody has chosen, nobody else gets by chance.
        let taken = chosen.values().cloned().collect();
        Self { chosen, taken, ..Self::default() }
    }

    /// Those of people and of rooms.
    pub(crate) fn of_file(file: NamesFile) -> (Self, Self) {
        (Self::new(file.people), Self::new(file.rooms))
    }

    /// What the key is called, if it was told of.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.by_key.get(key).map(String::as_str)
    }

    /// Gives the key a name, near to what the export calls it.
    pub(crate) fn give(&mut self, key: &str, original: &str) -> &str {
        if !self.by_key.contains_key(key) {
            let chosen = self.chosen.get(key).or_else(|| self.chosen.get(original)).cloned();
            let name = chosen.unwrap_or_else(|| self.distinct(key, original));
            self.taken.insert(name.clone());
            let (key, original) = (key.to_owned(), original.to_owned());
            self.given.push(Named { key: key.clone(), original, name: name.clone() });
            self.by_key.insert(key, name);
        }
        &self.by_key[key]
    }

    fn distinct(&self, key: &str, original: &str) -> String {
        let fit = |text: &str, most: usize| {
            let shown: String = text.chars().filter(|c| !c.is_control()).collect();
            shown.trim().chars().take(most).collect::<String>().trim().to_owned()
        };
        let mut name = fit(original, NAME_MAX_CHARS);
        if name.is_empty() {
            name = fit(key, NAME_MAX_CHARS);
        }
        if name.is_empty() {
            "unnamed".clone_into(&mut name);
        }
        if !self.taken.contains(&name) {
            return name;
        }
        let key = fit(key, NAME_MAX_CHARS / 2);
        let with_key = format!("{} ({key})", fit(&name, NAME_MAX_CHARS - key.chars().count() - 3));
        if !self.taken.contains(&with_key) {
            return with_key;
        }
        let numbered = |number: u64| format!("{} ({number})", fit(&name, NAME_MAX_CHARS - 23));
        (2..).map(numbered).find(|name| !self.taken.contains(name)).unwrap_or(with_key)
    }

    /// All names that were given, in the order of the export.
    pub(crate) fn given(&self) -> &[Named] {
        &self.given
    }
}

/// A names file that says what is so already, for people to change.
pub(crate) fn template(people: &[Named], rooms: &[Named]) -> String {
    let mut text = "# What people and rooms of the export are called here. On the left is what the export\n\
                    # names them by. Of people, give the username of an account that is there already, or a\n\
                    # new one; the same name twice makes one person of two. A room with an empty name\n\
                    # is left out. Decide before the first import: with other names its messages are\n\
                    # others.\n"
        .to_owned();
    for (section, names) in [("people", people), ("rooms", rooms)] {
        let _ = write!(text, "\n[{section}]\n");
        for Named { key, original, name } in names {
            let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
            let _ = write!(text, "{} = {}", quoted_key(key), quoted(name));
            let about = if original == name { String::new() } else { format!("  # {}", one_line(original)) };
            let _ = writeln!(text, "{about}");
        }
    }
    text
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// In double quotes whatever it is.
fn quoted_key(key: &str) -> String {
    let mut quoted = String::from("\"");
    for c in key.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_called_alike_is_told_apart_and_the_file_decides() {
        let file: NamesFile =
            toml::from_str("[people]\nU1 = 'ann'\n'Bob' = 'robert'\n[rooms]\n'random' = ''\n").unwrap();
        let (mut people, mut rooms) = Names::of_file(file);
        assert_eq!(people.give("U1", "Annie"), "ann");
        assert_eq!(people.give("U2", "ann"), "ann (U2)");
        assert_eq!(people.give("U3", "Bob"), "robert");
        assert_eq!(people.give("U4", "Eve"), "Eve");
        assert_eq!(people.give("U5", "Eve"), "Eve (U5)");
        assert_eq!(people.give("U4", "Other"), "Eve", "once is for good");
        assert_eq!(people.give("U6", "\u{7} "), "U6");
        let long = people.give("U7", &"x".repeat(100)).to_owned();
        assert_eq!(long.chars().count(), 64);
        assert_eq!(people.give("U8", &"x".repeat(100)).chars().count(), 64);
        assert_eq!(rooms.give("C1", "random"), "");
    }

    #[test]
    fn a_template_is_read_as_what_it_says() {
        let named = |key: &str, original: &str, name: &str| Named {
            key: key.to_owned(),
            original: original.to_owned(),
            name: name.to_owned(),
        };
        let people = [named("U1", "ann", "ann"), named("bot:B\"1\\:\u{1}x", "ci\nx", "it's \"ci\" (bot)")];
        let text = template(&people, &[named("C1", "ops", "ops")]);
        let read: NamesFile = toml::from_str(&text).unwrap();
        assert_eq!(read.people.len(), 2, "{text}");
        assert_eq!(read.people["bot:B\"1\\:\u{1}x"], "it's \"ci\" (bot)");
        assert_eq!(read.rooms["C1"], "ops");
    }

    #[test]
    fn a_wrong_file_is_refused_in_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("names.toml");
        let problem = |text: &str| {
            std::fs::write(&path, text).unwrap();
            format!("{:#}", NamesFile::read(&path).unwrap_err())
        };
        assert!(problem("[people]\nU1 = ''").contains("people, \"U1\": the name must be 1 to 64 characters"));
        assert!(problem("[persons]\nU1 = 'a'").contains("unknown field `persons`"));
        assert!(problem("U1").contains("is not of the expected form"));
    }
}
