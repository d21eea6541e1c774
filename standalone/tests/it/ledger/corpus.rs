//! A file to import: the real corpus when it lies beside the project, else one of the same shape and size.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::texts::Texts;

const MESSAGES: usize = 53_518;
const CONVERSATIONS: usize = 3_597;
const PEOPLE: usize = 3_577;

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) sent_at: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) text: String,
}

impl Line {
    pub(crate) fn sent_at_ms(&self) -> i64 {
        self.sent_at.parse::<jiff::Timestamp>().expect("an RFC 3339 time").as_millisecond()
    }

    /// The two people, in the order of their names.
    pub(crate) fn pair(&self) -> (String, String) {
        let (one, two) = (self.from.clone(), self.to.clone());
        if one <= two { (one, two) } else { (two, one) }
    }
}

/// The file and what it says.
pub(crate) struct Corpus {
    pub(crate) path: PathBuf,
    pub(crate) lines: Vec<Line>,
}

impl Corpus {
    /// The real one, where it is; else, or when its name is given as empty, a made-up one, written into
    /// `folder`.
    pub(crate) fn find(folder: &Path) -> Self {
        let named = std::env::var_os("MILENA_SMS_CORPUS").map(PathBuf::from);
        if named.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            return Self::made_up(folder);
        }
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/sms-dm.jsonl.gz");
        match named.or_else(|| beside.exists().then_some(beside)) {
            Some(path) => Self { lines: read(&path), path },
            None => Self::made_up(folder),
        }
    }

    fn made_up(folder: &Path) -> Self {
        let lines = conversations();
        let path = folder.join("made-up.jsonl.gz");
        let mut file = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        for line in &lines {
            writeln!(file, "{}", serde_json::to_string(line).unwrap()).unwrap();
        }
        file.finish().unwrap();
        Self { path, lines }
    }

    /// By pair of people, in the order of the file.
    pub(crate) fn conversations(&self) -> BTreeMap<(String, String), Vec<&Line>> {
        let mut conversations: BTreeMap<_, Vec<&Line>> = BTreeMap::new();
        for line in &self.lines {
            conversations.entry(line.pair()).or_default().push(line);
        }
        conversations
    }

    pub(crate) fn people(&self) -> usize {
        self.lines.iter().flat_map(|line| [&line.from, &line.to]).collect::<HashSet<_>>().len()
    }
}

fn read(path: &Path) -> Vec<Line> {
    let mut text = String::new();
    MultiGzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A few long conversations and many short ones: the share of the k-th falls with k^0.8, as in the real
/// corpus.
fn conversations() -> Vec<Line> {
    let mut texts = Texts::new(1920);
    let pairs = pairs(&mut texts);
    let mut shares: Vec<f64> = Vec::with_capacity(CONVERSATIONS);
    for k in 1..=CONVERSATIONS {
        shares.push(shares.last().copied().unwrap_or(0.0) + (k as f64).powf(-0.8));
    }
    let total = *shares.last().expect("not empty");
    let mut before: HashMap<usize, usize> = HashMap::new();
    (0..MESSAGES)
        .map(|number| {
            let chosen = shares.partition_point(|share| *share < texts.share() * total);
            let pair = if number < CONVERSATIONS { number } else { chosen.min(CONVERSATIONS - 1) };
            let (one, two) = pairs[pair];
            let turn = before.entry(pair).or_default();
            *turn += 1;
            let (from, to) = if turn.is_multiple_of(3) { (two, one) } else { (one, two) };
            let minute = jiff::Timestamp::from_second(1_300_000_000 + 60 * (number as i64 / 3)).unwrap();
            let name = |person: usize| format!("sms{person:05}");
            Line {
                id: format!("m-{number}"),
                sent_at: minute.to_string(),
                from: name(from),
                to: name(to),
                text: texts.next(),
            }
        })
        .collect()
}

fn pairs(texts: &mut Texts) -> Vec<(usize, usize)> {
    let mut known = HashSet::new();
    let mut pairs = Vec::with_capacity(CONVERSATIONS);
    while pairs.len() < CONVERSATIONS {
        let one = pairs.len() % PEOPLE;
        let two = texts.pick(PEOPLE);
        if one != two && known.insert((one.min(two), one.max(two))) {
            pairs.push((one, two));
        }
    }
    pairs
}
