//! Settings from environment variables, `MILENA__SECTION__KEY`, and variables that were meant to be some.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use config::{Value, ValueKind};

use crate::given::{Given, PROPERTIES};

const PREFIX: &str = "MILENA__";
/// Variables of the programs that are no settings.
const OTHERS: [&str; 2] = ["MILENA_CONFIG", "MILENA_IMPORT_PASSWORD"];

impl Given {
    /// Reads the environment over what is there. Names of other programs and values that are no text do not
    /// matter.
    pub(crate) fn read_environment(&mut self, environment: &BTreeMap<OsString, OsString>) {
        for (name, value) in environment {
            let Some(name) = name.to_str() else { continue };
            match strip_prefix(name) {
                Some(path) => self.read_variable(name, path, value),
                None => self.suspect(name),
            }
        }
    }

    fn read_variable(&mut self, name: &str, path: &str, value: &OsStr) {
        let path = path.to_lowercase();
        let known = path.split_once("__").filter(|(section, _)| self.has_section(section));
        let Some((section, key)) = known else {
            let hint = self.meant(name).map(|right| format!(" (did you mean {right}?)"));
            let hint = hint.unwrap_or_default();
            return self.mistakes.push(format!("unknown section or key: {path} ({name}){hint}"));
        };
        let Some(text) = value.to_str() else {
            return self.mistakes.push(format!("{name} is not UTF-8"));
        };
        let property = key.strip_prefix(PROPERTIES).and_then(|rest| rest.strip_prefix("__"));
        if let Some(property) = property.filter(|_| section == "kafka") {
            return self.set_property(&property.replace("__", "."), text.to_owned());
        }
        self.from_environment.insert(format!("{section}.{key}"));
        let value = match self.default_kind(section, key) {
            Some(ValueKind::Array(_)) => ValueKind::Array(entries(text)),
            _ => ValueKind::String(text.to_owned()),
        };
        self.set(section, key, value);
    }

    /// A variable that is read by nobody, and looks as if it had been meant for us.
    fn suspect(&mut self, name: &str) {
        if OTHERS.contains(&name) || !name.to_uppercase().starts_with("MILENA_") {
            return;
        }
        if let Some(right) = self.meant(name) {
            self.mistakes.push(format!("{name} is no setting (did you mean {right}?)"));
        }
    }

    /// The variable that differs by underscores only, or by one letter more.
    fn meant(&self, name: &str) -> Option<String> {
        let squashed = |name: &str| name.to_uppercase().replace('_', "");
        let settings =
            self.known_keys().map(|key| format!("{PREFIX}{}", key.to_uppercase().replace('.', "__")));
        let known = settings.chain(OTHERS.map(str::to_owned));
        let name = squashed(name);
        let distance = |right: &String| strsim::damerau_levenshtein(&squashed(right), &name);
        known.min_by_key(distance).filter(|right| distance(right) <= 1)
    }
}

/// What follows the prefix; letters of either case, as ever.
fn strip_prefix(name: &str) -> Option<&str> {
    let (prefix, rest) = name.split_at_checked(PREFIX.len())?;
    prefix.eq_ignore_ascii_case(PREFIX).then_some(rest)
}

/// A comma separated list; spaces around an entry are not part of it.
fn entries(text: &str) -> Vec<Value> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries.map(Value::from).collect()
}
