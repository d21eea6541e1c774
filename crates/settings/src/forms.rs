//! The right form of a value, with an example, for whoever gave another one.

use config::ValueKind;

/// What a value of `section.key` must be, after "must be". The example is the default, where that is one.
pub(crate) fn form(section: &str, key: &str, default: &ValueKind) -> String {
    match (section, key, default) {
        ("http", "trusted_proxies", _) => {
            "a list of addresses and networks, such as [\"10.0.0.0/8\", \"::1\"] in a file or 10.0.0.0/8,::1 \
             in the environment"
                .to_owned()
        }
        ("rooms", "join_at_registration", _) => {
            "a list of handles (2 to 32 letters a-z, digits, '.', '_' and '-', a letter or digit first), \
             such as [\"general\"] in a file or general,news in the environment"
                .to_owned()
        }
        ("push", "private_hosts", _) => {
            "a list of hosts, such as [\"push.internal\"] in a file or push.internal,10.1.2.3 in the \
             environment"
                .to_owned()
        }
        ("http", "secure_cookies", _) => "\"auto\", \"always\" or \"never\"".to_owned(),
        ("broker", "sync", _) => "\"always\" or an interval from \"1ms\" to \"60000ms\"".to_owned(),
        (_, key, ValueKind::String(example)) if key.ends_with("listen") && !example.is_empty() => {
            format!("an address and a port, such as {example}")
        }
        (_, _, ValueKind::String(example)) if !example.is_empty() && !example.contains('@') => {
            format!("a text in quotes, such as \"{example}\"")
        }
        (_, _, ValueKind::String(_)) => "a text in quotes".to_owned(),
        (_, _, ValueKind::I64(example)) => format!("a whole number, such as {example}"),
        (_, _, ValueKind::Boolean(_)) => "true or false".to_owned(),
        (_, _, ValueKind::Array(_)) => {
            "a list of texts, such as [\"https://chat.example.org\"] in a file or https://chat.example.org \
             in the environment"
                .to_owned()
        }
        _ => "a section of its own".to_owned(),
    }
}
