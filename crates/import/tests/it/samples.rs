//! The samples of `tests/samples`, each with the stream that stands beside it in a `.expected` file.
//! `MILENA_BLESS=1` writes those anew; whoever does so reads them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bson::doc;
use flate2::Compression;
use flate2::write::GzEncoder;
use milena_import::{Format, Options, detect, zone};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::told::told;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples")
}

fn prague() -> Options {
    Options { zone: Some(zone("Europe/Prague").unwrap()), ..Options::default() }
}

/// The sample is found to be what it is, and gives what is expected.
fn gives(name: &str, format: Format, path: &Path, options: &Options) -> String {
    assert_eq!(detect(path).unwrap(), Some(format), "{}", path.display());
    let told = told(format, path, options);
    let expected = folder().join(format!("{name}.expected"));
    if std::env::var_os("MILENA_BLESS").is_some() {
        fs::write(&expected, &told).unwrap();
    }
    assert_eq!(told, fs::read_to_string(&expected).unwrap(), "{name}");
    told
}

fn packed(from: &Path) -> tempfile::NamedTempFile {
    let mut zip = ZipWriter::new(tempfile::NamedTempFile::new().unwrap());
    add(&mut zip, from, "");
    zip.finish().unwrap()
}

fn add(zip: &mut ZipWriter<tempfile::NamedTempFile>, folder: &Path, prefix: &str) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            zip.add_directory(&name, SimpleFileOptions::default()).unwrap();
            add(zip, &entry.path(), &format!("{name}/"));
        } else {
            zip.start_file(&name, SimpleFileOptions::default()).unwrap();
            zip.write_all(&fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

fn tarred(from: &Path, within: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut tar = tar::Builder::new(GzEncoder::new(file, Compression::fast()));
    tar.append_dir_all(within, from).unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}

#[test]
fn slack() {
    let path = folder().join("slack");
    let unpacked = gives("slack", Format::Slack, &path, &Options::default());
    let zip = packed(&path);
    assert_eq!(gives("slack", Format::Slack, zip.path(), &Options::default()), unpacked);
}

#[test]
fn mattermost() {
    let path = folder().join("mattermost");
    let plain = gives("mattermost", Format::Mattermost, &path.join("import.jsonl"), &Options::default());
    let zipped = told(Format::Mattermost, packed(&path).path(), &Options::default());
    assert_eq!(zipped.replace("import.jsonl, ", ""), plain);
}

#[test]
fn zulip() {
    let path = folder().join("zulip");
    let unpacked = gives("zulip", Format::Zulip, &path, &Options::default());
    let tar = tarred(&path, "zulip-export-x");
    assert_eq!(gives("zulip", Format::Zulip, tar.path(), &Options::default()), unpacked);
}

#[test]
fn rocketchat_room() {
    let path = folder().join("rocketchat/ops.json");
    gives("rocketchat-room", Format::RocketChat, &path, &Options::default());
}

#[test]
fn rocketchat_dump() {
    let at = |second: i64| bson::DateTime::from_millis(1_767_600_000_000 + second * 1_000);
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, documents: &[bson::Document]| {
        let bytes: Vec<u8> =
            documents.iter().flat_map(|document| bson::serialize_to_vec(document).unwrap()).collect();
        fs::write(folder.path().join(name), bytes).unwrap();
    };
    let user = |id: &str, name: &str| doc! { "_id": id, "username": name };
    write(
        "users.bson",
        &[
            doc! { "_id": "a1", "username": "u1", "name": "U One", "type": "user", "active": true },
            doc! { "_id": "a2", "username": "u2", "name": "U Two", "type": "user", "active": true },
            doc! { "_id": "a3", "name": "no username" },
        ],
    );
    write(
        "rocketchat_room.bson",
        &[
            doc! { "_id": "r1", "t": "c", "name": "ops", "topic": "what is on fire", "ts": at(0) },
            doc! { "_id": "r2", "t": "p", "name": "secret", "fname": "Secret!", "description": null,
            "archived": true },
            doc! { "_id": "r3", "t": "d", "uids": ["a1", "a2"], "usernames": ["u1", "u2"] },
            doc! { "_id": "r4", "t": "l" },
        ],
    );
    write(
        "rocketchat_message.bson",
        &[
            doc! { "_id": "m0", "rid": "r1", "u": user("a2", "u2"), "ts": at(0), "msg": "", "t": "uj" },
            doc! { "_id": "m1", "rid": "r1", "u": user("a1", "u1"), "ts": at(1), "msg": "*hi* @u2 :wave:",
            "reactions": { ":wave:": { "usernames": ["u2", "old"] } }, "editedAt": at(2) },
            doc! { "_id": "m2", "rid": "r1", "u": user("a2", "u2"), "ts": at(3), "tmid": "m1",
                "msg": "in thread",
            "files": [{ "name": "a.png" }, { "name": "t.png", "typeGroup": "thumb" }] },
            doc! { "_id": "m3", "rid": "r1", "u": user("a1", "u1"), "ts": at(4),
            "msg": "[ ](https://host.example/channel/ops?msg=m2) quoted",
            "attachments": [{ "text": "in thread", "message_link": "https://host.example/?msg=m2" }] },
            doc! { "_id": "m4", "rid": "r2", "u": user("a1", "u1"), "ts": at(5), "msg": "nobody reads this" },
            doc! { "_id": "m5", "rid": "r3", "u": user("a2", "u2"), "ts": at(6), "msg": "psst" },
            doc! { "_id": "m6", "rid": "r1", "u": user("a1", "u1"), "ts": at(7), "msg": "", "t": "rm" },
            doc! { "_id": "m7", "u": user("a1", "u1"), "ts": at(8), "msg": "without a room" },
            doc! { "_id": "m8", "rid": "r1", "u": user("b1", "hook"), "ts": at(9), "msg": "built",
            "alias": "ci" },
            doc! { "_id": "m9", "rid": "r1", "u": user("a1", "u1"), "ts": at(10), "msg": "old",
            "_hidden": true },
        ],
    );
    write(
        "rocketchat_subscription.bson",
        &[
            doc! { "_id": "s1", "rid": "r1", "u": user("a1", "u1"), "ls": at(9) },
            doc! { "_id": "s2", "rid": "r1", "u": user("a2", "u2") },
            doc! { "_id": "s3", "rid": "r2", "u": user("a1", "u1") },
            doc! { "_id": "s4", "rid": "r3", "u": user("a1", "u1") },
        ],
    );
    gives("rocketchat-dump", Format::RocketChat, folder.path(), &Options::default());
}

#[test]
fn discord() {
    let path = folder().join("discord/G - Team - ops [20].json");
    gives("discord", Format::Discord, &path, &Options::default());
    let public = told(Format::Discord, &path, &Options { public: true, ..Options::default() });
    assert!(public.contains("room 20 \"ops\" public"), "{public}");
}

#[test]
fn matrix() {
    let path = folder().join("matrix/export.json");
    let plain = gives("matrix", Format::Matrix, &path, &Options::default());
    let zipped = told(Format::Matrix, packed(&folder().join("matrix")).path(), &Options::default());
    assert_eq!(zipped.replace("export.json, ", ""), plain);
}

#[test]
fn telegram() {
    gives("telegram", Format::Telegram, &folder().join("telegram/result.json"), &Options::default());
}

#[test]
fn a_whole_account_of_telegram_and_clocks_without_a_zone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.json");
    let text = r#"{"about":"x","personal_information":{"user_id":11,"first_name":"U"},
        "chats":{"about":"y","list":[{"name":"U Two","type":"personal_chat","id":12,"messages":[
        {"id":1,"type":"message","date":"2026-01-05T09:00:00","from":"U One","from_id":"user11",
        "text":"psst"}]}]}}"#;
    fs::write(&path, text).unwrap();
    let asked = told(Format::Telegram, &path, &Options::default());
    assert!(asked.contains("stopped: ") && asked.contains("--zone Europe/Prague"), "{asked}");
    let read = told(Format::Telegram, &path, &prague());
    assert!(read.contains("room 12 \"U Two\" direct user11 user12"), "{read}");
    assert!(read.contains("12 1 by user11 at 1767600000000: \"psst\""), "{read}");
}

#[test]
fn whatsapp() {
    let android = folder().join("whatsapp/WhatsApp Chat with Ops.txt");
    gives("whatsapp-android", Format::WhatsApp, &android, &prague());
    let asked = told(Format::WhatsApp, &android, &Options::default());
    assert!(asked.contains("stopped: WhatsApp writes the time of a clock only"), "{asked}");
    gives("whatsapp-iphone", Format::WhatsApp, &folder().join("whatsapp/_chat.txt"), &prague());
}

#[test]
fn dates_of_whatsapp_that_may_be_read_in_two_ways_are_asked_for() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "05/05/2026, 09:00 - U One: hello\n").unwrap();
    let asked = told(Format::WhatsApp, file.path(), &prague());
    assert!(asked.contains("stopped: its dates may be read in two ways: say with --dates"), "{asked}");
}

#[test]
fn irc() {
    gives("irc", Format::Irc, &folder().join("irc"), &prague());
}
