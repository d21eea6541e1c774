//! The secret of the embedded log: whoever can read the data folder may use the log, and no other account of
//! the machine. It is made once, kept in a file of mode 0600, and proven by SASL, never sent.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use milena_broker::{BrokerError, Credentials};
use milena_settings::Settings;

use crate::cli::LogAccessForm;

const USERNAME: &str = "milena";
const MECHANISM: &str = "SCRAM-SHA-256";
const PRIVATE: u32 = 0o600;

/// Where the secret of the log in `data` is.
pub(crate) fn file(data: &Path) -> PathBuf {
    data.join("log.secret")
}

/// The credentials of the log in `data`, made now if there are none.
///
/// # Errors
/// Names the file.
pub(crate) fn credentials(data: &Path) -> Result<Credentials, BrokerError> {
    let path = file(data);
    let password = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(&path),
        found => found,
    };
    let password = password.map(|password| password.trim().to_owned()).and_then(|password| {
        if password.is_empty() {
            Err(io::Error::other("it is empty; remove it to get a new one"))
        } else {
            Ok(password)
        }
    });
    match password {
        Ok(password) => Ok(Credentials { username: USERNAME.to_owned(), password }),
        Err(source) => Err(BrokerError::Storage { path, source }),
    }
}

/// Makes the secret, or takes the one that another program made in the same moment.
fn create(path: &Path) -> io::Result<String> {
    let secret: [u8; 32] = rand::random();
    let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let new = path.with_added_extension(std::process::id().to_string());
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(PRIVATE).open(&new)?;
    file.set_permissions(Permissions::from_mode(PRIVATE))?;
    writeln!(file, "{secret}")?;
    file.sync_all()?;
    // Unlike a rename, this takes the place of nothing.
    let linked = fs::hard_link(&new, path);
    fs::remove_file(&new)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => fs::read_to_string(path),
    }
}

/// librdkafka's properties, by which a client is let in.
fn properties(credentials: &Credentials) -> [(&'static str, String); 4] {
    [
        ("security.protocol", "SASL_PLAINTEXT".to_owned()),
        ("sasl.mechanism", MECHANISM.to_owned()),
        ("sasl.username", credentials.username.clone()),
        ("sasl.password", credentials.password.clone()),
    ]
}

/// Lets the program's own clients in, whatever the settings say of other brokers.
pub(crate) fn use_credentials(settings: &mut Settings, credentials: &Credentials) {
    let ours = properties(credentials).map(|(name, value)| (name.to_owned(), value));
    settings.kafka.properties.retain(|name, _| !name.starts_with("sasl."));
    settings.kafka.properties.extend(ours);
}

/// What a tool needs to be let in, in the form that it reads.
pub(crate) fn describe(form: LogAccessForm, log: SocketAddr, credentials: &Credentials) -> String {
    let Credentials { username, password } = credentials;
    let brokers = [("bootstrap.servers", log.to_string())];
    let lines = |form: fn(&str, &str) -> String| -> String {
        let all = brokers.iter().cloned().chain(properties(credentials));
        all.map(|(name, value)| form(name, &value)).collect()
    };
    match form {
        LogAccessForm::Kcat => lines(|name, value| format!("{name}={value}\n")),
        LogAccessForm::Java => format!(
            "bootstrap.servers={log}\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism={MECHANISM}\n\
             sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
             username=\"{username}\" password=\"{password}\";\n"
        ),
        LogAccessForm::Milena => {
            let sasl =
                properties(credentials).map(|(name, value)| format!("\"{name}\" = \"{value}\"\n")).concat();
            format!("[kafka]\nbrokers = \"{log}\"\n\n[kafka.properties]\n{sasl}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let made = credentials(folder.path()).unwrap();
        assert_eq!(made.password.len(), 64);
        assert_eq!(credentials(folder.path()).unwrap(), made);
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["log.secret"]);
        assert_eq!(fs::metadata(file(folder.path())).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(create(&file(folder.path())).unwrap().trim(), made.password, "the first one stays");
        fs::write(file(folder.path()), "\n").unwrap();
        assert!(credentials(folder.path()).unwrap_err().to_string().contains("log.secret"));
    }

    #[test]
    fn milenas_form_is_a_settings_file() {
        let mut credentials = Credentials { username: USERNAME.to_owned(), password: "ab12".to_owned() };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.toml");
        let log = "127.0.0.1:1234".parse().unwrap();
        fs::write(&path, describe(LogAccessForm::Milena, log, &credentials)).unwrap();
        let source = milena_settings::Source { file: Some(&path), ..Default::default() };
        let mut settings = Settings::load(&source).unwrap();
        assert_eq!(settings.kafka.brokers, "127.0.0.1:1234");
        assert_eq!(settings.kafka.properties["sasl.password"], "ab12");
        credentials.password = "other".to_owned();
        settings.kafka.properties.insert("sasl.oauthbearer.config".to_owned(), "x".to_owned());
        use_credentials(&mut settings, &credentials);
        assert_eq!(settings.kafka.properties.len(), 4, "what is meant for another broker does not disturb");
        assert_eq!(settings.kafka.properties["sasl.password"], "other");
    }
}
