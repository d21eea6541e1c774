//! RFC 6455, case by case, on a raw TCP connection to the real server: the groups and most cases of
//! Autobahn's test suite, as far as a server that is no echo server and takes no binary messages can answer
//! them.
//!
//! Each case writes bytes after the sign-in and says all that must come back. `PING` below is a text frame
//! with the protocol's own `ping`, which is answered with a `pong`: so a message was understood.

use futures::future::join_all;
use milena_domain::limits::FRAME_MAX_BYTES;

use crate::node::Node;
use crate::raw::{CLOSE, FIN, Heard, PING, PONG, Raw, TEXT, frame};

/// A `ping` of the protocol with something in it that is not looked at.
fn message(filling: &str) -> Vec<u8> {
    format!("{{\"type\":\"ping\",\"x\":\"{filling}\"}}").into_bytes()
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(CLOSE, &[&code.to_be_bytes(), reason].concat())
}

fn understood() -> Heard {
    Heard::Text("pong".to_owned())
}

struct Case {
    name: String,
    bytes: Vec<u8>,
    /// All that comes, and then the end of the connection.
    expected: Vec<Heard>,
    /// Written in pieces of so many bytes.
    piece: Option<usize>,
}

/// What is answered, while the connection stays: a goodbye is appended, and its answer.
fn stays(name: &str, frames: &[Vec<u8>], answers: &[Heard]) -> Case {
    let bytes = [frames.concat(), close(1000, b"")].concat();
    let expected = [answers, &[Heard::Close(Some(1000))]].concat();
    Case { name: name.to_owned(), bytes, expected, piece: None }
}

/// What ends the connection with a code; a message after it is not answered.
fn ends(name: &str, frames: &[Vec<u8>], code: u16) -> Case {
    let bytes = [frames.concat(), frame(TEXT, &message("after the end"))].concat();
    let expected = vec![Heard::Close(Some(code))];
    Case { name: name.to_owned(), bytes, expected, piece: None }
}

fn framing() -> Vec<Case> {
    let mut cases: Vec<Case> = [0, 80, 100, 101, 102, 103, 500, 65_507, 65_508, 65_509, 65_510, 120_000]
        .into_iter()
        .map(|length| {
            let text = message(&"x".repeat(length));
            stays(&format!("a message of {} bytes", text.len()), &[frame(TEXT, &text)], &[understood()])
        })
        .collect();
    let several = [frame(TEXT, &message("1")), frame(TEXT, &message("2")), frame(TEXT, &message("3"))];
    cases.push(stays("several messages at once", &several, &vec![understood(); 3]));
    let mut slow = stays("octet by octet", &[frame(TEXT, &message("slow"))], &[understood()]);
    slow.piece = Some(1);
    cases.push(slow);
    cases.push(ends("a binary message, which the protocol does not have", &[frame(0x82, b"x")], 4502));
    cases
}

fn control() -> Vec<Case> {
    let text = frame(TEXT, &message("x"));
    let bytes: Vec<u8> = (0..125).map(|byte| byte * 2).collect();
    let pong = |payload: &[u8]| Heard::Pong(payload.to_vec());
    vec![
        stays("an empty ping", &[frame(PING, b"")], &[pong(b"")]),
        stays("a ping with text", &[frame(PING, b"Hello")], &[pong(b"Hello")]),
        stays("the largest ping, not UTF-8", &[frame(PING, &bytes)], &[pong(&bytes)]),
        ends("a ping of 126 bytes", &[frame(PING, &[0; 126])], 1002),
        stays("an unasked pong", &[frame(PONG, b"unasked"), text], &[understood()]),
        stays("an unasked pong before a ping", &[frame(PONG, b"unasked"), frame(PING, b"x")], &[pong(b"x")]),
        ends("a fragmented ping", &[frame(0x09, b"x")], 1002),
        ends("a fragmented pong", &[frame(0x0a, b"x")], 1002),
        ends("a fragmented close", &[frame(0x08, b"")], 1002),
    ]
}

fn reserved() -> Vec<Case> {
    let mut cases = Vec::new();
    for bits in 1..8_u8 {
        let first = TEXT | bits << 4;
        cases.push(ends(&format!("reserved bits {bits:03b}"), &[frame(first, &message("x"))], 1002));
        cases.push(ends(
            &format!("a ping with reserved bits {bits:03b}"),
            &[frame(PING | bits << 4, b"")],
            1002,
        ));
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        cases.push(ends(&format!("reserved opcode {opcode}"), &[frame(FIN | opcode, b"x")], 1002));
        let mut after = ends(&format!("opcode {opcode} after a message"), &[], 1002);
        after.bytes = [frame(TEXT, &message("x")), frame(FIN | opcode, b""), after.bytes].concat();
        after.expected.insert(0, understood());
        cases.push(after);
    }
    let mut unmasked = frame(TEXT, b"");
    unmasked[1] = 0;
    unmasked.truncate(2);
    cases.push(ends("a frame without a mask", &[unmasked], 1002));
    cases
}

fn fragments() -> Vec<Case> {
    let text = message("in pieces");
    let (first, rest) = text.split_at(7);
    let (second, third) = rest.split_at(5);
    let start = frame(0x01, first);
    let middle = frame(0x00, second);
    let last = frame(FIN, third);
    let empty = frame(0x00, b"");
    let ping = frame(PING, b"between");
    let pong = Heard::Pong(b"between".to_vec());
    let mut cases = vec![
        stays("two fragments", &[start.clone(), frame(FIN, rest)], &[understood()]),
        stays("three fragments", &[start.clone(), middle.clone(), last.clone()], &[understood()]),
        stays(
            "empty fragments",
            &[frame(0x01, b""), empty, frame(0x00, first), frame(FIN, rest), text_frame()],
            &[understood(), understood()],
        ),
        stays(
            "a ping between fragments",
            &[start.clone(), ping.clone(), middle.clone(), last.clone()],
            &[pong.clone(), understood()],
        ),
        stays(
            "a pong between fragments",
            &[start.clone(), frame(PONG, b"unasked"), frame(FIN, rest)],
            &[understood()],
        ),
        ends("a continuation of nothing", &[frame(FIN, b"x")], 1002),
        ends("an unfinished continuation of nothing", &[frame(0x00, b"x")], 1002),
        ends("a new message before the end of the last", &[start.clone(), text_frame()], 1002),
        ends("a new unfinished message before the end", &[start.clone(), start.clone()], 1002),
    ];
    let many: Vec<Vec<u8>> = text[1..].iter().map(|byte| frame(0x00, &[*byte])).collect();
    let many = [vec![frame(0x01, &text[..1])], many, vec![frame(FIN, b"")]].concat();
    cases.push(stays("a fragment for each octet", &many, &[understood()]));
    let mut slow = stays("fragments, octet by octet", &[start, ping, middle, last], &[pong, understood()]);
    slow.piece = Some(1);
    cases.push(slow);
    cases
}

fn text_frame() -> Vec<u8> {
    frame(TEXT, &message("whole"))
}

fn utf8() -> Vec<Case> {
    let text = message("κόσμε \u{7f} \u{7ff} \u{800} \u{fffd} \u{ffff} \u{10ffff} 😀");
    let mut cases = vec![stays("the edges of UTF-8", &[frame(TEXT, &text)], &[understood()])];
    for split in [1, 2, 3] {
        let smiley = text.len() - 6 + split;
        let frames = [frame(0x01, &text[..smiley]), frame(FIN, &text[smiley..])];
        cases.push(stays(&format!("a character split after {split} octets"), &frames, &[understood()]));
    }
    let octets: Vec<Vec<u8>> = text[1..].iter().map(|byte| frame(0x00, &[*byte])).collect();
    let octets = [vec![frame(0x01, &text[..1])], octets, vec![frame(FIN, b"")]].concat();
    cases.push(stays("every character split", &octets, &[understood()]));
    for (name, wrong) in [
        ("a lone continuation octet", &b"\x80"[..]),
        ("the first octet of two alone", b"\xc3"),
        ("an overlong slash", b"\xc0\xaf"),
        ("an overlong null", b"\xe0\x80\x80"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("a pair of surrogates", b"\xed\xa0\xbd\xed\xb8\x80"),
        ("beyond the last character", b"\xf4\x90\x80\x80"),
        ("an octet that UTF-8 never has", b"\xff"),
        ("the wrong octet in the middle", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"),
    ] {
        cases.push(ends(name, &[frame(TEXT, wrong)], 1007));
        let (a, b) = wrong.split_at(wrong.len() / 2);
        let frames = [frame(0x01, a), frame(0x00, b""), frame(FIN, b)];
        cases.push(ends(&format!("{name}, in fragments"), &frames, 1007));
    }
    let unfinished = [frame(0x01, b"\xf0\x9f"), frame(FIN, b"")];
    cases.push(ends("a message that ends within a character", &unfinished, 1007));
    cases
}

fn sizes() -> Vec<Case> {
    let too_large = |name: &str, bytes: Vec<u8>| Case {
        name: name.to_owned(),
        bytes,
        expected: vec![Heard::Text("error too_large".to_owned()), Heard::Close(Some(1009))],
        piece: None,
    };
    let announced = |length: u64| [&[TEXT, 0xff][..], &length.to_be_bytes(), &[0; 4], b"x"].concat();
    let piece = vec![b'x'; FRAME_MAX_BYTES / 4];
    let fragments: Vec<Vec<u8>> = std::iter::repeat_n(frame(0x00, &piece), 8).collect();
    let mut at_limit = message("");
    let room = FRAME_MAX_BYTES - at_limit.len();
    at_limit = message(&"x".repeat(room));
    vec![
        stays("the largest message", &[frame(TEXT, &at_limit)], &[understood()]),
        too_large("one byte more", frame(TEXT, &message(&"x".repeat(room + 1)))),
        too_large("a megabyte", frame(TEXT, &vec![b'x'; 1 << 20])),
        too_large("the largest length that can be announced", announced(u64::MAX >> 1)),
        too_large(
            "small fragments of a large message",
            [vec![frame(0x01, b"x")], fragments].concat().concat(),
        ),
    ]
}

fn goodbyes() -> Vec<Case> {
    let mut cases = vec![
        Case {
            name: "a close without a code".to_owned(),
            bytes: frame(CLOSE, b""),
            expected: vec![Heard::Close(None)],
            piece: None,
        },
        ends("a close of one octet", &[frame(CLOSE, b"\x03")], 1002),
        ends("a close with the longest reason", &[close(1000, &[b'x'; 123])], 1000),
        ends("a close with a longer reason", &[close(1000, &[b'x'; 124])], 1002),
        ends(
            "a close whose reason is not UTF-8",
            &[close(1000, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80")],
            1007,
        ),
        ends("a ping after a close", &[close(1000, b"bye"), frame(PING, b"x")], 1000),
        ends("a second close", &[close(1000, b"bye"), close(1001, b"bye")], 1000),
        ends("a close within a message", &[frame(0x01, b"{"), close(1001, b"")], 1001),
    ];
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999] {
        cases.push(ends(&format!("close code {code}"), &[close(code, b"")], code));
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        cases.push(ends(&format!("close code {code}, which may not be sent"), &[close(code, b"")], 1002));
    }
    cases
}

#[tokio::test]
async fn every_case_of_the_standard() {
    let node = Node::start().await;
    let anna = node.register("anna").await;
    let cases: Vec<Case> = [framing(), control(), reserved(), fragments(), utf8(), sizes(), goodbyes()]
        .into_iter()
        .flatten()
        .collect();
    let count = cases.len();
    let failures = join_all(cases.into_iter().map(async |case| {
        let mut raw = Raw::sign_in(&node, &anna).await;
        match case.piece {
            None => raw.write(&case.bytes).await,
            Some(piece) => raw.write_slowly(&case.bytes, piece).await,
        }
        let heard = raw.hear_all().await;
        (heard != case.expected).then(|| format!("{}: {heard:?}, not {:?}", case.name, case.expected))
    }))
    .await;
    let failures: Vec<String> = failures.into_iter().flatten().collect();
    assert!(failures.is_empty(), "{} of {count} cases:\n{}", failures.len(), failures.join("\n"));
    println!("{count} cases of RFC 6455");
    node.stop().await;
}
