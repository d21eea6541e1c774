//! The settings of a topic that this broker honours. Any other name or value is refused rather than ignored.

use std::collections::BTreeMap;

use crate::log::RetentionLimits;

const WEEK_MS: i64 = 7 * 24 * HOUR_MS;
const HOUR_MS: i64 = 3_600 * 1_000;

/// A setting as shown to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    /// It was never set.
    pub(crate) is_default: bool,
    pub(crate) kind: Kind,
}

/// The type of a setting, in the numbers of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text = 2,
    Int = 3,
    Long = 5,
    List = 7,
}

/// What the settings of a topic say, with defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicConfig {
    pub(crate) retention: RetentionLimits,
    pub(crate) max_batch_bytes: usize,
    /// How far ahead of this broker's clock a record's time may be (KIP-937); whoever reads the log may then
    /// believe that nothing in it was written later than that.
    pub(crate) max_ahead_ms: i64,
    set: Vec<String>,
}

/// Settings with one possible value here, accepted so that commands written for Apache Kafka work.
const FIXED: [(&str, &str, Kind); 4] = [
    ("cleanup.policy", "delete", Kind::List),
    ("compression.type", "producer", Kind::Text),
    ("message.timestamp.type", "CreateTime", Kind::Text),
    ("min.insync.replicas", "1", Kind::Int),
];

impl TopicConfig {
    /// Reads the settings, or says what is wrong with them.
    pub(crate) fn parse(settings: &BTreeMap<String, String>, max_batch_bytes: usize) -> Result<Self, String> {
        let mut config = Self {
            retention: RetentionLimits { max_age_ms: Some(WEEK_MS), max_bytes: None },
            max_batch_bytes,
            max_ahead_ms: HOUR_MS,
            set: settings.keys().cloned().collect(),
        };
        for (name, value) in settings {
            let number = || {
                value
                    .trim()
                    .parse::<i64>()
                    .map_err(|_| format!("{name} must be a whole number, not {value:?}"))
            };
            match name.as_str() {
                "retention.ms" => config.retention.max_age_ms = limit(name, number()?)?,
                "retention.bytes" => {
                    config.retention.max_bytes = limit(name, number()?)?.map(i64::unsigned_abs);
                }
                "message.timestamp.after.max.ms" => {
                    config.max_ahead_ms = Some(number()?)
                        .filter(|&ahead_ms| ahead_ms >= 0)
                        .ok_or_else(|| format!("{name} must be at least 0"))?;
                }
                "max.message.bytes" => {
                    config.max_batch_bytes = usize::try_from(number()?)
                        .ok()
                        .filter(|&bytes| bytes > 0)
                        .ok_or_else(|| format!("{name} must be at least 1"))?;
                }
                _ => match FIXED.iter().find(|(fixed, ..)| fixed == name) {
                    Some((_, only, _)) if only.eq_ignore_ascii_case(value) => {}
                    Some((_, only, _)) => return Err(format!("{name} can only be {only} on this broker")),
                    None => return Err(format!("{name} is not a setting of this broker")),
                },
            }
        }
        Ok(config)
    }

    /// All settings, for clients that ask.
    pub(crate) fn settings(&self) -> Vec<Setting> {
        let or_none = |limit: Option<i64>| limit.unwrap_or(-1).to_string();
        let max_bytes = self.retention.max_bytes.and_then(|bytes| i64::try_from(bytes).ok());
        let numbers = [
            ("max.message.bytes", self.max_batch_bytes.to_string(), Kind::Int),
            ("message.timestamp.after.max.ms", self.max_ahead_ms.to_string(), Kind::Long),
            ("retention.bytes", or_none(max_bytes), Kind::Long),
            ("retention.ms", or_none(self.retention.max_age_ms), Kind::Long),
        ];
        let fixed = FIXED.map(|(name, value, kind)| (name, value.to_owned(), kind));
        let setting = |(name, value, kind)| Setting {
            name,
            value,
            is_default: !self.set.iter().any(|set| set == name),
            kind,
        };
        numbers.into_iter().chain(fixed).map(setting).collect()
    }
}

/// A limit where -1 means none.
fn limit(name: &str, value: i64) -> Result<Option<i64>, String> {
    match value {
        -1 => Ok(None),
        0.. => Ok(Some(value)),
        _ => Err(format!("{name} must be -1 (no limit) or more")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, value: &str) -> Result<TopicConfig, String> {
        TopicConfig::parse(&BTreeMap::from([(name.to_owned(), value.to_owned())]), 1_000)
    }

    #[test]
    fn limits_are_read_and_shown() {
        let config = parse("retention.ms", "-1").expect("good");
        assert_eq!(config.retention.max_age_ms, None);
        let shown =
            config.settings().into_iter().find(|setting| setting.name == "retention.ms").expect("shown");
        assert_eq!((shown.value.as_str(), shown.is_default), ("-1", false));
    }

    #[test]
    fn what_is_not_honoured_is_refused() {
        for (name, value) in [
            ("retention.ms", "soon"),
            ("retention.ms", "-2"),
            ("cleanup.policy", "compact"),
            ("max.message.bytes", "0"),
            ("message.timestamp.after.max.ms", "-1"),
            ("unclean.leader.election.enable", "true"),
        ] {
            assert!(parse(name, value).is_err(), "{name}={value}");
        }
    }
}
