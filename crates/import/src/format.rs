//! The formats that are known, how each is told from the others, and the way into its reader.
//!
//! A format is told by what an export contains, never by the name that somebody gave it alone.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use crate::archive::Archive;
use crate::lines::{Lines, decoded};
use crate::{
    Found, Loss, Options, Output, ReadError, Stopped, discord, irc, matrix, mattermost, rocketchat, slack,
    telegram, whatsapp, zulip,
};

/// What another chat exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The zip of a workspace, or what it was unpacked to.
    Slack,
    /// The bulk export: JSON lines, alone or in a zip.
    Mattermost,
    /// The tar of an organisation, or what it was unpacked to.
    Zulip,
    /// A `mongodump` of its database, or the JSON of one room.
    RocketChat,
    /// What DiscordChatExporter writes in JSON.
    Discord,
    /// A room that Element exported in JSON.
    Matrix,
    /// `result.json` of Telegram Desktop.
    Telegram,
    /// A chat as text, alone or in a zip.
    WhatsApp,
    /// Logs of WeeChat, irssi, ZNC or HexChat.
    Irc,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Slack,
        Self::Mattermost,
        Self::Zulip,
        Self::RocketChat,
        Self::Discord,
        Self::Matrix,
        Self::Telegram,
        Self::WhatsApp,
        Self::Irc,
    ];

    /// What it is called on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Mattermost => "mattermost",
            Self::Zulip => "zulip",
            Self::RocketChat => "rocketchat",
            Self::Discord => "discord",
            Self::Matrix => "matrix",
            Self::Telegram => "telegram",
            Self::WhatsApp => "whatsapp",
            Self::Irc => "irc",
        }
    }

    /// What it is, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Slack => "a Slack export",
            Self::Mattermost => "a Mattermost bulk export",
            Self::Zulip => "a Zulip export",
            Self::RocketChat => "a dump of Rocket.Chat, or the JSON of a room of it",
            Self::Discord => "JSON of DiscordChatExporter",
            Self::Matrix => "a Matrix room exported by Element",
            Self::Telegram => "an export of Telegram Desktop",
            Self::WhatsApp => "a WhatsApp chat",
            Self::Irc => "IRC logs",
        }
    }
}

/// Reads an export to its end, or until `take` wants no more; answers what was lost.
///
/// # Errors
/// [`ReadError`]; what was read before was handed out.
pub fn read(
    format: Format,
    path: &Path,
    options: &Options,
    take: &mut dyn FnMut(Found) -> Result<(), Stopped>,
) -> Result<BTreeMap<Loss, u64>, ReadError> {
    let mut archive = Archive::open(path, is_wanted)?;
    let mut output = Output::new(take);
    match format {
        Format::Slack => slack::read(&mut archive, &mut output)?,
        Format::Mattermost => mattermost::read(&mut archive, &mut output)?,
        Format::Zulip => zulip::read(&mut archive, &mut output)?,
        Format::RocketChat => rocketchat::read(&mut archive, options, &mut output)?,
        Format::Discord => discord::read(&mut archive, options, &mut output)?,
        Format::Matrix => matrix::read(&mut archive, options, &mut output)?,
        Format::Telegram => telegram::read(&mut archive, options, &mut output)?,
        Format::WhatsApp => whatsapp::read(&mut archive, options, &mut output)?,
        Format::Irc => irc::read(&mut archive, options, &mut output)?,
    }
    Ok(output.losses())
}

/// Which format a file or folder is of; `None` when it is none of them.
///
/// # Errors
/// When it cannot be read, or is an archive that is not to be unpacked.
pub fn detect(path: &Path) -> Result<Option<Format>, ReadError> {
    let mut archive = Archive::open(path, is_wanted)?;
    if slack::is_one(&archive) {
        return Ok(Some(Format::Slack));
    }
    if archive.root_of("realm.json").is_some() {
        return Ok(Some(Format::Zulip));
    }
    if rocketchat::root_of(&archive).is_some() {
        return Ok(Some(Format::RocketChat));
    }
    let names: Vec<String> = archive.names().take(NAMES_LOOKED_AT).map(str::to_owned).collect();
    if names.iter().any(|name| telegram::is_result(name)) {
        return Ok(Some(Format::Telegram));
    }
    if !archive.is_plain() && names.iter().any(|name| name.ends_with("_chat.txt")) {
        return Ok(Some(Format::WhatsApp));
    }
    let is_plain = archive.is_plain();
    let is_text = |name: &str| irc::has_ending(name) || name.ends_with(".json") || name.ends_with(".jsonl");
    for name in names.iter().filter(|name| is_plain || is_text(name)) {
        let mut start = Vec::new();
        let _ = archive.open_file(name)?.take(LOOKED_AT_BYTES).read_to_end(&mut start);
        if let Some(format) = of_text(&start) {
            return Ok(Some(format));
        }
    }
    Ok(None)
}

/// Files of which the beginning is looked at.
const NAMES_LOOKED_AT: usize = 10_000;
/// So much of it.
const LOOKED_AT_BYTES: u64 = 64 << 10;

fn of_text(start: &[u8]) -> Option<Format> {
    let mut lines = Lines::new(start);
    let mut texts = Vec::new();
    while let Ok(Some(line)) = lines.next() {
        texts.push(decoded(&line.bytes).0);
    }
    let first = texts.iter().find(|text| !text.trim().is_empty())?;
    if first.trim_start().starts_with(['{', '[']) && !whatsapp::begins(first) && !irc::begins(first) {
        return of_json(first, &String::from_utf8_lossy(start));
    }
    let texts = || texts.iter().filter(|text| !text.trim().is_empty()).take(50);
    let count = |begins: fn(&str) -> bool| texts().filter(|text| begins(text)).count();
    let (of_whatsapp, of_irc) = (count(whatsapp::begins), count(irc::begins));
    if whatsapp::begins(first) && of_whatsapp >= of_irc {
        return Some(Format::WhatsApp);
    }
    (of_irc * 2 > texts().count()).then_some(Format::Irc)
}

/// The keys at the beginning of JSON.
fn of_json(first: &str, start: &str) -> Option<Format> {
    let has = |key: &str| start.contains(&format!("\"{key}\""));
    if let Ok(line) = serde_json::from_str::<serde_json::Value>(first) {
        // A whole object on one line: JSON lines of somebody.
        if line.get("type").is_some_and(|kind| kind == "version") {
            return Some(Format::Mattermost);
        }
        if line.get("sent_at").is_some() && line.get("from").is_some() {
            return None;
        }
        if line.get("msg").is_some() && line.get("username").is_some() && line.get("ts").is_some() {
            return Some(Format::RocketChat);
        }
    }
    if has("guild") && has("channel") {
        return Some(Format::Discord);
    }
    if has("room_name") && has("messages") || has("origin_server_ts") {
        return Some(Format::Matrix);
    }
    (has("date_unixtime") || has("from_id") || has("chats") && has("list")).then_some(Format::Telegram)
}

/// Of a tar only what is read is unpacked: no pictures, no attachments.
fn is_wanted(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let is_text = ["json", "jsonl", "bson", "gz", "txt", "log", "weechatlog"].contains(&ending);
    is_text && !["/uploads/", "/avatars/", "/emoji/", "/data/"].iter().any(|folder| name.contains(folder))
}
