//! How long messages are: the byte lengths of real text messages, by percentile.
//!
//! Measured on the NUS SMS Corpus, 2015 edition, 53,518 English and Chinese messages (T. Chen and M.-Y. Kan,
//! "Creating a Live, Public Short Message Service Corpus", Language Resources and Evaluation 47, 2013). The
//! texts are not here.

/// The length in UTF-8 bytes that so many percent of the messages do not reach; the last is the longest.
const BYTES_BY_PERCENT: [u16; 101] = [
    1, 2, 3, 3, 4, 5, 6, 6, 7, 7, 8, 9, 9, 10, 11, 11, 12, 12, 13, 14, 15, 15, 15, 16, 17, 18, 18, 19, 19,
    20, 21, 21, 22, 22, 23, 24, 24, 25, 26, 27, 27, 28, 29, 30, 30, 31, 32, 33, 34, 35, 36, 36, 37, 38, 39,
    40, 41, 42, 43, 44, 45, 46, 48, 49, 50, 51, 52, 54, 55, 57, 58, 60, 61, 63, 65, 67, 69, 71, 73, 75, 78,
    80, 83, 86, 89, 93, 97, 102, 107, 112, 118, 124, 132, 139, 147, 155, 163, 183, 210, 268, 910,
];

/// The longest.
pub(super) const LONGEST_BYTES: usize = 910;

/// The length at a point of the distribution, `0.0..1.0`, evenly between two percentiles. The last percent
/// falls off quickly: the longest is rare.
pub(super) fn bytes_at(point: f64) -> usize {
    let place = point.clamp(0.0, 0.999_999) * 100.0;
    let (low, part) = (place as usize, place.fract());
    let part = if low == 99 { part.powi(4) } else { part };
    let (from, to) = (f64::from(BYTES_BY_PERCENT[low]), f64::from(BYTES_BY_PERCENT[low + 1]));
    (from + (to - from) * part).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_that_of_the_corpus() {
        let points = 100_000;
        let sum: usize = (0..points).map(|point| bytes_at(f64::from(point) / f64::from(points))).sum();
        let mean = sum as f64 / f64::from(points);
        assert!((mean - 52.3).abs() < 1.5, "{mean}");
        assert_eq!((bytes_at(0.0), bytes_at(0.5), bytes_at(1.0)), (1, 36, LONGEST_BYTES));
    }
}
