//! The command line.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand, ValueEnum};
use milena_domain::cure;
use milena_import::{DateOrder, Format};
use milena_kafka_consumer::cli::StoreCommand;

/// Self-hosted chat whose write path is a log: broker, database, server and web page in one program.
#[derive(Debug, Parser)]
#[command(
    name = "milena",
    version,
    after_help = "Without a command, milena runs until Ctrl-C and prints the address to open in a browser.\n\
                  Every setting of config/default.toml can also be given as MILENA__SECTION__KEY in the \
                  environment."
)]
pub(crate) struct Cli {
    /// What all commands take.
    #[command(flatten)]
    pub(crate) options: Options,
    /// What to do; run when absent.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Where a data folder is when nobody says so.
const DEFAULT_DATA: &str = "./data";

/// What all commands take.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Folder that holds everything: log, database. Created when missing.
    #[arg(long, global = true, value_name = "DIR", default_value = DEFAULT_DATA)]
    pub(crate) data: PathBuf,
    /// Settings file (TOML); see config/default.toml for what can be set.
    #[arg(long, global = true, value_name = "FILE", env = "MILENA_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Address of the web page and the API. Port 0 takes any free port. [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Address of the embedded log for Kafka tools. Port 0 takes any free port. [default: 127.0.0.1:9092, or
    /// any free port when that is taken]
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub(crate) broker: Option<SocketAddr>,
    /// Another database than that of the data folder, for `verify`, `replay` and `status`:
    /// sqlite:PATH?mode=rwc, postgres://... or mysql://...
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database: Option<String>,
}

impl Options {
    /// What a command needs to reach the same data, to be named in a sentence.
    pub(crate) fn for_commands(&self) -> Vec<(&'static str, &OsStr)> {
        let other = |data: &&PathBuf| data.as_os_str() != DEFAULT_DATA;
        let data = Some(&self.data).filter(other).map(|data| ("--data", data.as_os_str()));
        let config = self.config.iter().map(|file| ("--config", file.as_os_str()));
        let database = self.database.iter().map(|url| ("--database", cure::without_secret(url)));
        data.into_iter().chain(config).chain(database).collect()
    }
}

/// The commands besides running.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring conversations in from other chats, or from a file of JSON lines, through the log, with their
    /// original times.
    Import(ImportArguments),
    /// The consumer's commands, on the data folder, whether milena runs on it or not.
    #[command(flatten)]
    Store(StoreCommand),
    /// Copy the data folder as it is at one moment, also while milena runs on it.
    #[command(after_help = BACKUP_HELP)]
    Backup(BackupArguments),
    /// Make a data folder of a backup.
    #[command(after_help = "The folder of --data must be empty, or not there yet: what is there is never \
                            replaced.\n\n  milena restore milena.tar.gz --data restored\n  milena verify \
                            --data restored     proves that log and database of the backup belong together")]
    Restore(RestoreArguments),
    /// Print what Kafka tools need to use the embedded log: its address and its secret.
    #[command(after_help = "kcat -F <(milena log-access kcat) -L\n\
                            kafka-topics.sh --bootstrap-server ADDRESS \
                            --command-config <(milena log-access java) --list\n\
                            kafka-consumer --config <(milena log-access milena) status\n\
                            Whoever has this can read and write everything: keep it in files that only you \
                            can read.")]
    LogAccess {
        /// For which tools: properties of librdkafka, of Apache Kafka's own tools, or a settings file for
        /// kafka-consumer and backend.
        #[arg(default_value = "kcat")]
        form: LogAccessForm,
    },
}

/// What `backup` takes.
#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// The file (its name ends with .tar.gz or .tgz) or folder to make. It must not be there yet.
    #[arg(value_name = "PATH")]
    pub(crate) to: PathBuf,
    /// Say what was copied as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl BackupArguments {
    /// Whether it becomes one file.
    pub(crate) fn is_archive(&self) -> bool {
        let name = self.to.as_os_str().as_encoded_bytes();
        name.ends_with(b".tar.gz") || name.ends_with(b".tgz")
    }
}

/// What `restore` takes.
#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    /// What `milena backup` has made.
    #[arg(value_name = "BACKUP")]
    pub(crate) from: PathBuf,
}

const BACKUP_HELP: &str = "  milena backup backup-$(date +%F).tar.gz    one file, compressed\n  \
    milena backup /mnt/backups/today           a folder: milena --data /mnt/backups/today runs on it\n\n\
    It has every message that was accepted before it began. Whoever has it can read all messages and sign \
    in as anybody: it belongs to its owner only, like the data folder.";

/// Who is to read what `log-access` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogAccessForm {
    /// kcat and everything else on librdkafka (Python, Go, Node.js, ...).
    Kcat,
    /// Apache Kafka's own tools, and Java.
    Java,
    /// kafka-consumer and backend.
    Milena,
}

/// What `import` takes.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_HELP)]
pub(crate) struct ImportArguments {
    /// The export (a file, an archive, or the folder that it was unpacked to), or the file of JSON lines;
    /// `-` reads those from standard input.
    #[arg(value_name = "PATH")]
    pub(crate) file: PathBuf,
    /// What it is. Without this it is found out by what is in it, and said.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<FileFormat>,
    /// Import nothing, but say what would become of it: who is called what, what comes along, what is lost.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// A file that says what people and rooms of an export are called here. A dry run writes it when it is
    /// not there.
    #[arg(long, value_name = "FILE")]
    pub(crate) names: Option<PathBuf>,
    /// The time zone of an export that has the time of a clock only (WhatsApp, IRC, old ones of Telegram),
    /// such as Europe/Prague, UTC or +01:00.
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<String>,
    /// The order of dates in a WhatsApp chat that does not tell it.
    #[arg(long, value_name = "ORDER", value_enum)]
    pub(crate) dates: Option<Dates>,
    /// The name of the room, where the export is one chat as text (WhatsApp, IRC).
    #[arg(long, value_name = "NAME")]
    pub(crate) room: Option<String>,
    /// Make rooms public of which the export does not say who may see them (Discord, Matrix, one room of
    /// Rocket.Chat); without this they are private.
    #[arg(long)]
    pub(crate) public: bool,
    /// Use the Kafka and the database of the settings (--config, MILENA__KAFKA__BROKERS,
    /// MILENA__DATABASE__URL) instead of the data folder. A consumer must be running there.
    #[arg(long)]
    pub(crate) external: bool,
    /// Let the created people sign in with this password (8 to 256 characters). Without it they cannot sign
    /// in.
    #[arg(long, value_name = "PASSWORD", env = "MILENA_IMPORT_PASSWORD", hide_env_values = true)]
    pub(crate) password: Option<String>,
    /// The same, with the password in the first line of a file, where other people of the machine do not see
    /// it.
    #[arg(long, value_name = "FILE", conflicts_with = "password")]
    pub(crate) password_file: Option<PathBuf>,
    /// Within what the ids of JSON lines are unique. It belongs to the file: with another scope its messages
    /// are others.
    #[arg(long, value_name = "SCOPE", value_enum, default_value_t = IdScope::Sender)]
    pub(crate) id_scope: IdScope,
    /// End when the log has everything, without waiting until the database has it too.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

const IMPORT_HELP: &str = "Moving in from another chat:\n  \
    milena import export.zip --dry-run --names names.toml   look first, and at names.toml\n  \
    milena import export.zip --names names.toml             then bring it in; again adds nothing\n\
    Files are counted and left out; their names stay in the messages. What was private stays private.\n\n\
    JSON lines: {\"id\": ..., \"sent_at\": RFC 3339 time, \"from\": name, \"to\": name, \"text\": ...}, or \
    \"room\": name in place of \"to\". In a room also {..., \"event\": \"joined\", \"left\", \"removed\" \
    with \"user\": name, or \"changed\" with \"title\" or \"topic\"} in place of \"text\"; OPERATIONS has \
    all of it. Plain or gzip, UTF-8.\n\
    People and rooms are created when missing; a name is one account in all files, letter by letter. \
    Importing a file again stores nothing twice.\n\
    Ends with status 1 when a line was refused; the others are imported all the same.";

/// What a file to import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileFormat {
    /// Milena's own.
    Jsonl,
    /// Another chat's.
    Export(Format),
}

impl ValueEnum for FileFormat {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<FileFormat>> = LazyLock::new(|| {
            let exports = Format::ALL.iter().map(|format| FileFormat::Export(*format));
            std::iter::once(FileFormat::Jsonl).chain(exports).collect()
        });
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Jsonl => PossibleValue::new("jsonl").help("JSON lines, as below"),
            Self::Export(format) => PossibleValue::new(format.name()).help(format.words()),
        })
    }
}

/// The order in which a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dates {
    /// 31/12/2026.
    Dmy,
    /// 12/31/2026.
    Mdy,
    /// 2026/12/31.
    Ymd,
}

impl From<Dates> for DateOrder {
    fn from(dates: Dates) -> Self {
        match dates {
            Dates::Dmy => Self::DayMonthYear,
            Dates::Mdy => Self::MonthDayYear,
            Dates::Ymd => Self::YearMonthDay,
        }
    }
}

/// Within what an id of an import file names one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IdScope {
    /// Among all messages of its sender, to whomever.
    Sender,
    /// Among the messages of its conversation only, as in exports of Slack or Discord.
    Conversation,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_may_stand_before_or_after_the_command() {
        for words in [["milena", "--data", "d", "import", "f"], ["milena", "import", "f", "--data", "d"]] {
            let cli = Cli::try_parse_from(words).unwrap();
            assert_eq!(cli.options.data, PathBuf::from("d"));
        }
    }
}
