//! What a WhatsApp message is besides words: a file that was left out or comes along, the sentence that
//! stands for a deleted message, the mark of an edited one. All of it in the language of the phone.

use super::head::is_mark;

/// What an Android writes for a file that was left out. Source: the parsers of chat-analytics.
const OMITTED: [&str; 16] = [
    "<media omitted>",
    "<medien ausgeschlossen>",
    "<multimedia omitido>",
    "<médias omis>",
    "<media omessi>",
    "<mídia omitida>",
    "<ficheiro não revelado>",
    "<media weggelaten>",
    "<pominięto multimedia>",
    "<без медиафайлов>",
    "<medya dahil edilmedi>",
    "<media utelämnat>",
    "<メディアなし>",
    "<省略多媒体文件>",
    "<média vynechány>",
    "<médium vynechané>",
];

/// What an iPhone writes: the kind of file and a word, behind a mark that is not seen.
const KINDS: [&str; 24] = [
    "image",
    "video",
    "audio",
    "sticker",
    "gif",
    "document",
    "contact card",
    "bild",
    "sprachnachricht",
    "dokument",
    "imagen",
    "vídeo",
    "audio",
    "immagine",
    "documento",
    "imagem",
    "áudio",
    "afbeelding",
    "photo",
    "vidéo",
    "obrázek",
    "figurinha",
    "stickeru",
    "video note",
];
const LEFT_OUT: [&str; 12] = [
    "omitted",
    "weggelassen",
    "omitido",
    "omitida",
    "omesso",
    "omessa",
    "omessi",
    "ocultado",
    "weggelaten",
    "absent",
    "absente",
    "vynechán",
];

/// Sentences that stand for a deleted message, without the dot at the end.
const DELETED: [&str; 18] = [
    "this message was deleted",
    "you deleted this message",
    "diese nachricht wurde gelöscht",
    "du hast diese nachricht gelöscht",
    "se eliminó este mensaje",
    "eliminaste este mensaje",
    "este mensaje fue eliminado",
    "ce message a été supprimé",
    "vous avez supprimé ce message",
    "questo messaggio è stato eliminato",
    "hai eliminato questo messaggio",
    "mensagem apagada",
    "essa mensagem foi apagada",
    "você apagou esta mensagem",
    "dit bericht is verwijderd",
    "je hebt dit bericht verwijderd",
    "tato zpráva byla smazána",
    "tuto zprávu jste smazali",
];

/// Marks of an edited message.
const EDITED: [&str; 7] = [
    "<this message was edited>",
    "<diese nachricht wurde bearbeitet.>",
    "<diese nachricht wurde bearbeitet>",
    "<se editó este mensaje.>",
    "<ce message a été modifié>",
    "<messaggio modificato>",
    "<mensagem editada>",
];

/// What a text turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Words, perhaps with a file, perhaps edited since.
    Said { words: String, files: Vec<String>, is_edited: bool },
    /// A line of WhatsApp's own.
    System,
    /// Its words are gone.
    Deleted,
}

/// Looks at the whole text of a message.
pub(super) fn of(text: &str) -> Content {
    let is_marked = text.starts_with(is_mark);
    let text = text.trim_matches(|c: char| is_mark(c) || c.is_whitespace());
    let folded = text.to_lowercase();
    if DELETED.contains(&folded.trim_end_matches('.')) {
        return Content::Deleted;
    }
    if let Some(file) = omitted(text, &folded, is_marked) {
        return Content::Said { words: String::new(), files: vec![file], is_edited: false };
    }
    let (first, more) = text.split_once('\n').unwrap_or((text, ""));
    if let Some(file) = attached(first) {
        return Content::Said { words: more.trim().to_owned(), files: vec![file], is_edited: false };
    }
    if is_marked {
        return Content::System;
    }
    let (words, is_edited) = without_edited(text);
    // A file with a caption: the file is named at the end on newer phones.
    if let Some((caption, last)) = words.rsplit_once('\n').filter(|(_, last)| last.starts_with(is_mark))
        && let Some(file) = attached(last.trim_start_matches(is_mark))
    {
        return Content::Said { words: caption.trim_end().to_owned(), files: vec![file], is_edited };
    }
    Content::Said { words: words.to_owned(), files: Vec::new(), is_edited }
}

fn omitted(text: &str, folded: &str, is_marked: bool) -> Option<String> {
    let is_one_tag = text.len() < 60
        && text.starts_with('<')
        && text.ends_with('>')
        && text.chars().count() < 40
        && !text[1..].contains('<')
        && !text.contains([':', '：', '\n', '/']);
    if OMITTED.contains(&folded) || is_one_tag {
        return Some("media".to_owned());
    }
    let (kind, word) = folded.rsplit_once(' ')?;
    let is_file = KINDS.contains(&kind) || (is_marked && kind.contains('.'));
    (is_file && LEFT_OUT.contains(&word)).then(|| kind.to_owned())
}

/// `<attached: name.ext>` of an iPhone, `name.ext (file attached)` of an Android, in any language.
fn attached(line: &str) -> Option<String> {
    let line = line.trim_matches(|c: char| is_mark(c) || c.is_whitespace());
    if let Some(inside) = line.strip_prefix('<').and_then(|line| line.strip_suffix('>')) {
        let (word, name) = inside.split_once([':', '：'])?;
        let name = name.trim();
        return (word.chars().count() < 30 && is_file_name(name)).then(|| name.to_owned());
    }
    let (name, note) = line.strip_suffix(')')?.rsplit_once(" (")?;
    (is_file_name(name) && !name.contains(' ') && note.chars().count() < 40).then(|| name.to_owned())
}

fn is_file_name(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && (1..=5).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !name.contains(['/', '\\', '\n'])
    })
}

fn without_edited(text: &str) -> (&str, bool) {
    let Some(start) = text.rfind('<') else { return (text, false) };
    let (words, tail) = text.split_at(start);
    let is_marked = words.ends_with(is_mark);
    let is_known = EDITED.contains(&tail.to_lowercase().as_str());
    if !words.trim().is_empty() && tail.ends_with('>') && (is_known || is_marked && tail.len() < 60) {
        return (words.trim_end_matches(|c: char| is_mark(c) || c.is_whitespace()), true);
    }
    (text, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &str, files: &[&str], is_edited: bool) -> Content {
        let files = files.iter().map(ToString::to_string).collect();
        Content::Said { words: words.to_owned(), files, is_edited }
    }

    #[test]
    fn texts_are_told_apart() {
        for (text, expected) in [
            ("hello", said("hello", &[], false)),
            ("<Media omitted>", said("", &["media"], false)),
            ("<Medien ausgeschlossen>", said("", &["media"], false)),
            ("<Kuvat jätetty pois>", said("", &["media"], false)),
            ("\u{200e}image omitted", said("", &["image"], false)),
            ("\u{200e}Bild weggelassen", said("", &["bild"], false)),
            (
                "\u{200e}<attached: 00000001-PHOTO-2026-01-05-09-00-00.jpg>",
                said("", &["00000001-PHOTO-2026-01-05-09-00-00.jpg"], false),
            ),
            (
                "IMG-20260105-WA0001.jpg (Datei angehängt)\nthe view",
                said("the view", &["IMG-20260105-WA0001.jpg"], false),
            ),
            ("This message was deleted", Content::Deleted),
            ("\u{200e}You deleted this message.", Content::Deleted),
            ("hi there <This message was edited>", said("hi there", &[], true)),
            ("hi \u{200e}<Der var en ændring>", said("hi", &[], true)),
            ("\u{200e}U One changed the group name", Content::System),
            ("a < b and c > d", said("a < b and c > d", &[], false)),
            ("we (all of us)", said("we (all of us)", &[], false)),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }
}
