//! What librdkafka does not take of `[kafka.properties]`, in words that show no value: librdkafka's own quote
//! it, and it may be a password, also behind a misspelt name.

use milena_settings::KafkaSettings;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use crate::LogError;

/// Refuses all properties that librdkafka refuses, in one sentence.
///
/// # Errors
/// [`LogError::Properties`].
pub fn check_properties(settings: &KafkaSettings) -> Result<(), LogError> {
    let wrong = settings.properties.iter().filter_map(|(name, value)| {
        let mut alone = ClientConfig::new();
        alone.set(name, value);
        alone.create_native_config().err().map(|error| problem(&error))
    });
    let wrong: Vec<String> = wrong.collect();
    if wrong.is_empty() { Ok(()) } else { Err(LogError::Properties(wrong.join("; "))) }
}

fn problem(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, name, _) => {
            format!("librdkafka has no property \"{name}\"")
        }
        KafkaError::ClientConfig(_, _, name, _) => {
            format!("librdkafka does not take the value of \"{name}\"")
        }
        other => other.to_string(),
    }
}

impl LogError {
    /// A client could not be made of the settings.
    #[must_use]
    pub fn refused(error: KafkaError) -> Self {
        Self::Properties(problem(&error))
    }
}

#[cfg(test)]
mod tests {
    use milena_settings::Settings;

    use super::*;

    #[test]
    fn wrong_properties_are_named_and_their_values_are_not() {
        let mut kafka = Settings::defaults().kafka;
        assert!(check_properties(&kafka).is_ok());
        for (name, value) in [
            ("sasl.pasword", "hunter2"),
            ("sasl.password", "1e5"),
            ("security.protocol", "hunter3"),
            // Of the producer only: no other client would have found it.
            ("compression.codec", "hunter4"),
        ] {
            kafka.properties.insert(name.into(), value.into());
        }
        let said = check_properties(&kafka).unwrap_err().to_string();
        assert!(
            said.contains("no property \"sasl.pasword\"") && said.contains("\"security.protocol\""),
            "{said}"
        );
        assert!(said.contains("\"compression.codec\"") && !said.contains("\"sasl.password\""), "{said}");
        assert!(!said.contains("hunter") && !said.contains("1e5"), "{said}");
    }
}
