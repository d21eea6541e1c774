//! Archives that nobody made in good faith, and files that are damaged: refused in one sentence, before
//! anything is unpacked elsewhere or memory is filled.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use milena_import::{Format, Options, detect, zone};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::told::told;

fn zipped(files: &[(&str, &[u8])]) -> tempfile::NamedTempFile {
    let mut zip = ZipWriter::new(tempfile::NamedTempFile::new().unwrap());
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap()
}

fn refused(path: &Path) -> String {
    let by_detection = detect(path).unwrap_err().to_string();
    let read = told(Format::Slack, path, &Options::default());
    assert_eq!(read, format!("stopped: {by_detection}\n"));
    by_detection
}

#[test]
fn names_that_lead_out_of_an_archive() {
    for (name, problem) in [
        ("../evil.json", "leads out of the archive"),
        ("a/../../evil.json", "leads out of the archive"),
        ("a\\..\\..\\evil.json", "leads out of the archive"),
        ("/etc/passwd", "is an absolute path"),
        ("C:\\evil.json", "is an absolute path"),
    ] {
        let zip = zipped(&[("channels.json", b"[]"), (name, b"[]")]);
        let told = refused(zip.path());
        assert!(told.contains("is not unpacked: ") && told.contains(problem), "{name}: {told}");
    }
}

#[test]
fn links_in_archives() {
    let mut zip = ZipWriter::new(tempfile::NamedTempFile::new().unwrap());
    zip.add_symlink("users.json", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    assert!(refused(zip.finish().unwrap().path()).contains("\"users.json\" is a link to elsewhere"));
    let mut tar = tar::Builder::new(tempfile::NamedTempFile::new().unwrap());
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, "realm.json", "/etc/passwd").unwrap();
    assert!(refused(tar.into_inner().unwrap().path()).contains("\"realm.json\" is a link to elsewhere"));
}

#[test]
fn what_unpacks_to_far_more_than_text_does() {
    let mut gzip = GzEncoder::new(tempfile::NamedTempFile::new().unwrap(), Compression::best());
    let blanks = vec![b' '; 1 << 20];
    gzip.write_all(b"[").unwrap();
    for _ in 0..80 {
        gzip.write_all(&blanks).unwrap();
    }
    let bomb = gzip.finish().unwrap();
    let told = told(Format::Matrix, bomb.path(), &Options::default());
    assert!(told.contains("it unpacks to more than 64 MiB, which no text does"), "{told}");
}

#[test]
fn archives_that_are_damaged() {
    let good = zipped(&[("channels.json", b"[]")]);
    let bytes = fs::read(good.path()).unwrap();
    let cut = tempfile::NamedTempFile::new().unwrap();
    fs::write(cut.path(), &bytes[..bytes.len() / 2]).unwrap();
    assert!(refused(cut.path()).contains("is not unpacked: "));
}

#[test]
fn what_is_none_of_them() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "Dear all,\nthis is no chat.\n").unwrap();
    assert_eq!(detect(file.path()).unwrap(), None);
    let lines = r#"{"id":"1","sent_at":"2026-01-05T08:00:00Z","from":"ann","to":"bob","text":"from_id"}"#;
    fs::write(file.path(), lines).unwrap();
    assert_eq!(detect(file.path()).unwrap(), None, "Milena's own lines");
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(detect(empty.path()).unwrap(), None);
    for format in Format::ALL {
        let told = told(format, empty.path(), &Options::default());
        assert!(told.starts_with("stopped: ") && told.contains(" has no "), "{}: {told}", format.name());
    }
    assert!(detect(Path::new("/nowhere/at/all")).unwrap_err().to_string().contains("cannot be read"));
}

#[test]
fn lines_without_an_end_and_texts_in_no_encoding() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut text = b"2026-01-05 08:00:00\tann\tgr\xfc\xdfe\n2026-01-05 08:00:01\tann\t".to_vec();
    text.resize(text.len() + (3 << 20), b'x');
    text.extend(b"\n2026-01-05 08:00:02\tann\tend\n");
    fs::write(file.path(), text).unwrap();
    let options = Options { zone: Some(zone("UTC").unwrap()), ..Options::default() };
    let told = told(Format::Irc, file.path(), &options);
    assert!(told.contains("\"grüße\"") && told.contains("lost: 1 BrokenCharacters"), "{told}");
    assert!(told.contains("line 2 | bad: it is longer than 1 MiB"), "{told}");
    assert!(told.contains(": \"end\""), "{told}");
}

#[test]
fn json_that_ends_too_early_is_read_up_to_there() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/matrix/export.json");
    let text = fs::read_to_string(sample).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &text[..text.len() / 2]).unwrap();
    let told = told(Format::Matrix, file.path(), &Options::default());
    assert!(told.contains("$e1 by @u1:example.org"), "{told}");
    assert!(told.contains("stopped: ") && told.contains("is not of the expected form: EOF"), "{told}");
}
