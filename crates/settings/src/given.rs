//! What was given, key by key, on top of the defaults: each value has the kind of its default, or is a
//! mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use config::{File, FileFormat, Map, Source as _, Value, ValueKind};

use crate::forms::form;

/// Names farther from what was written than this are no suggestion.
const MAX_DISTANCE: usize = 2;
/// The one section whose keys are not ours.
pub(crate) const PROPERTIES: &str = "properties";

/// Keys and what they are set to.
pub(crate) type Table = Map<String, Value>;

/// The merged values, and what was wrong on the way.
pub(crate) struct Given {
    defaults: Table,
    values: Table,
    /// Keys that the environment set, as `section.key`.
    pub(crate) from_environment: BTreeSet<String>,
    /// Each a sentence that names its key and no value.
    pub(crate) mistakes: Vec<String>,
}

impl Given {
    /// The defaults, later texts over earlier ones.
    pub(crate) fn defaults(texts: [&str; 2]) -> Self {
        let mut defaults = Table::new();
        let mut mistakes = Vec::new();
        for text in texts {
            match File::from_str(text, FileFormat::Toml).collect() {
                Ok(table) => merge(&mut defaults, table),
                Err(error) => mistakes.push(format!("the compiled-in defaults: {error}")),
            }
        }
        Self { values: defaults.clone(), defaults, from_environment: BTreeSet::new(), mistakes }
    }

    /// The values of a section.
    pub(crate) fn section(&self, name: &str) -> Table {
        table(&self.values, name).cloned().unwrap_or_default()
    }

    /// The defaults of a section.
    pub(crate) fn default_section(&self, name: &str) -> Table {
        table(&self.defaults, name).cloned().unwrap_or_default()
    }

    pub(crate) fn has_section(&self, name: &str) -> bool {
        self.defaults.contains_key(name)
    }

    /// A key's default, whose kind its values have; `None` when there is no such key.
    pub(crate) fn default_kind(&self, section: &str, key: &str) -> Option<&ValueKind> {
        table(&self.defaults, section)?.get(key).map(|value| &value.kind)
    }

    /// The names of all keys, as `section.key`.
    pub(crate) fn known_keys(&self) -> impl Iterator<Item = String> {
        self.defaults.iter().flat_map(|(section, keys)| {
            let keys = of_table(keys).into_iter().flat_map(Table::keys);
            keys.map(move |key| format!("{section}.{key}"))
        })
    }

    /// A value has not the right form.
    pub(crate) fn wrong_form(&mut self, section: &str, key: &str, default: &ValueKind) {
        let name = format!("{section}.{key}");
        let by = if self.from_environment.contains(&name) {
            format!(" (MILENA__{}__{})", section.to_uppercase(), key.to_uppercase())
        } else {
            String::new()
        };
        self.mistakes.push(format!("{name}{by} must be {}", form(section, key, default)));
    }

    /// A name that there is not.
    pub(crate) fn unknown(&mut self, what: &str, name: &str) {
        let hint = self.nearest(name).map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
        self.mistakes.push(format!("unknown {what}: {name}{hint}"));
    }

    fn nearest(&self, name: &str) -> Option<String> {
        let distance = |known: &String| strsim::damerau_levenshtein(known, name);
        self.known_keys().min_by_key(distance).filter(|known| distance(known) <= MAX_DISTANCE)
    }

    /// Puts a value in its place; it must have the kind of its default.
    pub(crate) fn set(&mut self, section: &str, key: &str, value: ValueKind) {
        let Some(default) = self.default_kind(section, key).cloned() else {
            return self.unknown("key", &format!("{section}.{key}"));
        };
        match of_the_kind(&default, value) {
            Some(value) => self.put(section, key, value),
            None => self.wrong_form(section, key, &default),
        }
    }

    /// Puts a property of librdkafka, whose name is not ours to judge.
    pub(crate) fn set_property(&mut self, name: &str, text: String) {
        let properties = table_mut(&mut self.values, "kafka").and_then(|kafka| table_mut(kafka, PROPERTIES));
        if let Some(properties) = properties {
            properties.insert(name.to_owned(), Value::from(text));
        }
    }

    fn put(&mut self, section: &str, key: &str, value: ValueKind) {
        if let Some(section) = table_mut(&mut self.values, section) {
            section.insert(key.to_owned(), Value::new(None, value));
        }
    }

    /// Reads a TOML file over what is there.
    pub(crate) fn read_file(&mut self, path: &Path) {
        match parse_file(path) {
            Ok(file) => {
                for (section, keys) in in_order(file) {
                    self.read_section(&section, keys);
                }
            }
            Err(mistake) => self.mistakes.push(mistake),
        }
    }

    fn read_section(&mut self, section: &str, keys: Value) {
        let ValueKind::Table(keys) = keys.kind else {
            return self.unknown("section or key", section);
        };
        if !self.has_section(section) {
            return self.unknown("section or key", section);
        }
        for (key, value) in in_order(keys) {
            match value.kind {
                ValueKind::Table(properties) if section == "kafka" && key == PROPERTIES => {
                    self.read_properties("", properties);
                }
                value => self.set(section, &key, value),
            }
        }
    }

    /// librdkafka takes texts; people write numbers and booleans too. A name with dots may come nested.
    fn read_properties(&mut self, prefix: &str, properties: Table) {
        for (name, value) in in_order(properties) {
            let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            match value.kind {
                ValueKind::String(text) => self.set_property(&name, text),
                ValueKind::I64(number) => self.set_property(&name, number.to_string()),
                ValueKind::Boolean(flag) => self.set_property(&name, flag.to_string()),
                ValueKind::Table(nested) => self.read_properties(&name, nested),
                _ => self.mistakes.push(format!("kafka.properties \"{name}\" must be a text in quotes")),
            }
        }
    }
}

/// A table has no order of its own; mistakes are told in that of the names.
fn in_order(table: Table) -> BTreeMap<String, Value> {
    table.into_iter().collect()
}

fn of_table(value: &Value) -> Option<&Table> {
    match &value.kind {
        ValueKind::Table(table) => Some(table),
        _ => None,
    }
}

fn table<'a>(of: &'a Table, name: &str) -> Option<&'a Table> {
    of.get(name).and_then(of_table)
}

fn table_mut<'a>(of: &'a mut Table, name: &str) -> Option<&'a mut Table> {
    match of.get_mut(name).map(|value| &mut value.kind) {
        Some(ValueKind::Table(table)) => Some(table),
        _ => None,
    }
}

fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (table_mut(into, &key), value.kind) {
            (Some(into), ValueKind::Table(from)) => merge(into, from),
            (_, kind) => drop(into.insert(key, Value::new(None, kind))),
        }
    }
}

/// The value as one of the kind of `default`: what was written in quotes may be a number, and the other way
/// round, as long as it is surely what was meant.
fn of_the_kind(default: &ValueKind, value: ValueKind) -> Option<ValueKind> {
    Some(match (default, value) {
        (ValueKind::String(_), ValueKind::String(text)) => ValueKind::String(text),
        (ValueKind::String(_), ValueKind::I64(number)) => ValueKind::String(number.to_string()),
        (ValueKind::I64(_), ValueKind::I64(number)) => ValueKind::I64(number),
        (ValueKind::I64(_), ValueKind::String(text)) => ValueKind::I64(text.trim().parse().ok()?),
        (ValueKind::Boolean(_), ValueKind::Boolean(flag)) => ValueKind::Boolean(flag),
        (ValueKind::Boolean(_), ValueKind::String(text)) => ValueKind::Boolean(text.trim().parse().ok()?),
        (ValueKind::Array(_), ValueKind::Array(entries)) => {
            let texts = entries.into_iter().map(|entry| match entry.kind {
                ValueKind::String(text) => Some(Value::from(text.trim())),
                _ => None,
            });
            ValueKind::Array(texts.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn parse_file(path: &Path) -> Result<Table, String> {
    let name = path.display();
    let bytes = std::fs::read(path).map_err(|error| format!("the file {name} cannot be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("the file {name} is not UTF-8"))?;
    // What some editors put before the first line.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    File::from_str(text, FileFormat::Toml).collect().map_err(|error| {
        // The parser quotes the line, and there may be a password in it: only the place is told.
        let said = error.to_string();
        let place = said.lines().next().and_then(|line| line.split_once(" at line ")).map(|(_, place)| place);
        let line = place.and_then(|place| place.split([',', ' ']).next()).filter(|line| is_number(line));
        let line = line.map(|line| format!(" (line {line})")).unwrap_or_default();
        format!("the file {name} is no TOML{line}; texts stand in quotes there")
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
