//! Made-up texts with the lengths of real short messages: half below 30 characters, one in a hundred above
//! 255; one in five Chinese, some with emoji, blanks and quotes.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Lengths of real messages at the given shares of all, ascending.
const LENGTHS: [(f64, f64); 11] = [
    (0.0, 1.0),
    (0.01, 1.0),
    (0.05, 3.0),
    (0.1, 6.0),
    (0.25, 13.0),
    (0.5, 29.0),
    (0.75, 58.0),
    (0.9, 108.0),
    (0.95, 149.0),
    (0.99, 255.0),
    (1.0, 910.0),
];
const WORDS: [&str; 24] = [
    "ok", "haha", "where", "are", "you", "now", "i", "reach", "home", "late", "liao", "tomorrow", "can",
    "meet", "at", "six", "?", "\"yes\"", "thanks", "so", "much", "\\o/", "see", "naïve",
];
const HAN: &str = "你我他在家里吃饭了吗明天晚上见好的没有不是去学校回来电话发信息知道谢谢多少时候";
const EMOJI: [&str; 6] = ["🙂", "👍🏽", "👨‍👩‍👧", "🇨🇿", "❤️", "🐞"];

/// The same seed gives the same texts.
pub(crate) struct Texts(StdRng);

impl Texts {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// From `0` up to `below`.
    pub(crate) fn pick(&mut self, below: usize) -> usize {
        self.0.random_range(0..below)
    }

    /// From 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        self.0.random()
    }

    /// A message.
    pub(crate) fn next(&mut self) -> String {
        let chars = self.length();
        let chinese = self.share() < 0.2;
        let mut text = String::new();
        while text.chars().count() < chars {
            if self.share() < 0.02 {
                text.push_str(EMOJI[self.pick(EMOJI.len())]);
            } else if chinese {
                text.extend(HAN.chars().nth(self.pick(HAN.chars().count())));
            } else {
                text.push_str(WORDS[self.pick(WORDS.len())]);
                text.push(' ');
            }
        }
        text.chars().take(chars).collect()
    }

    fn length(&mut self) -> usize {
        let share = self.share();
        let at = LENGTHS.iter().position(|(up_to, _)| share <= *up_to).unwrap_or(LENGTHS.len() - 1).max(1);
        let ((low, from), (high, to)) = (LENGTHS[at - 1], LENGTHS[at]);
        (from + (to - from) * (share - low) / (high - low)).round() as usize
    }
}
