//! How large a process is: memory and file descriptors, sampled while a test runs, and whether they stay
//! flat.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

/// What a process may grow by over the second half of a run and still be called flat: whichever is more.
const GROWTH_MIB: f64 = 4.0;
const GROWTH_SHARE: f64 = 0.05;
/// The same for descriptors, of the fewest in each tenth of that half: connections come and go, what leaks
/// stays.
const GROWTH_DESCRIPTORS: f64 = 4.0;

/// One look at a process.
#[derive(Debug, Clone, Copy)]
struct Sample {
    seconds: f64,
    rss_mib: f64,
    descriptors: f64,
}

/// The looks at one process.
pub(crate) struct Vitals {
    name: String,
    process: u32,
    began: Instant,
    samples: Vec<Sample>,
}

impl Vitals {
    pub(crate) fn of(name: impl Into<String>, process: u32) -> Self {
        Self { name: name.into(), process, began: Instant::now(), samples: Vec::new() }
    }

    /// Looks once; the process must live.
    pub(crate) fn look(&mut self) {
        let process = Path::new("/proc").join(self.process.to_string());
        let status = std::fs::read_to_string(process.join("status")).expect("the process lives");
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says so");
        let rss_kib: f64 = rss.trim().trim_end_matches(" kB").parse().expect("a number");
        let descriptors = std::fs::read_dir(process.join("fd")).expect("our own process").count();
        self.samples.push(Sample {
            seconds: self.began.elapsed().as_secs_f64(),
            rss_mib: rss_kib / 1024.0,
            descriptors: descriptors as f64,
        });
    }

    /// One line a sample: seconds, MiB of memory, descriptors.
    pub(crate) fn write_to(&self, folder: &Path) {
        let line = |sample: &Sample| {
            format!("{:.0},{:.2},{:.0}\n", sample.seconds, sample.rss_mib, sample.descriptors)
        };
        let lines: String = self.samples.iter().map(line).collect();
        std::fs::write(folder.join(format!("vitals-{}.csv", self.name)), lines).expect("the folder is there");
    }

    /// Flat: the least-squares line through the second half of the samples rises by no more, over that half,
    /// than [`GROWTH_MIB`] or [`GROWTH_SHARE`] of the mean, whichever is more, and by [`GROWTH_DESCRIPTORS`]
    /// descriptors.
    pub(crate) fn is_flat(&self) -> bool {
        let memory = self.memory();
        memory.rise <= GROWTH_MIB.max(GROWTH_SHARE * memory.mean)
            && self.descriptors().rise <= GROWTH_DESCRIPTORS
    }

    fn memory(&self) -> Line {
        Line::through(self.second_half().iter().map(|sample| (sample.seconds, sample.rss_mib)))
    }

    fn descriptors(&self) -> Line {
        let half = self.second_half();
        let tenths = half.chunks_exact((half.len() / 10).max(1));
        let fewest = |tenth: &[Sample]| {
            let fewest = tenth.iter().fold(f64::INFINITY, |fewest, sample| fewest.min(sample.descriptors));
            (tenth[0].seconds, fewest)
        };
        Line::through(tenths.map(fewest))
    }

    fn second_half(&self) -> &[Sample] {
        let half = &self.samples[self.samples.len() / 2..];
        assert!(half.len() >= 8, "{}: too few samples to judge by", self.name);
        half
    }
}

/// A line through samples: their mean, and how far the line rises from the first of them to the last.
struct Line {
    mean: f64,
    rise: f64,
}

impl Line {
    fn through(points: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        let count = points.clone().count() as f64;
        let (sum_x, sum_y) = points.clone().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
        let (mean_x, mean) = (sum_x / count, sum_y / count);
        let (covariance, variance) = points.clone().fold((0.0, 0.0), |(c, v), (x, y)| {
            (c + (x - mean_x) * (y - mean), v + (x - mean_x) * (x - mean_x))
        });
        let first = points.clone().next().map_or(0.0, |point| point.0);
        let last = points.last().map_or(0.0, |point| point.0);
        Self { mean, rise: covariance / variance * (last - first) }
    }
}

impl fmt::Display for Vitals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |share: usize| self.samples[(self.samples.len() - 1) * share / 4];
        let most = self.samples.iter().fold(0.0, |most: f64, sample| most.max(sample.rss_mib));
        write!(f, "{}: RSS at 0, ¼, ½, ¾ and the end", self.name)?;
        for share in 0..=4 {
            write!(f, "{} {:.1}", if share == 0 { "" } else { "," }, at(share).rss_mib)?;
        }
        write!(
            f,
            " MiB (most {most:.1}), second half {:+.2} MiB; descriptors {:.0} then {:.0}, second half \
             {:+.1}; {}",
            self.memory().rise,
            at(0).descriptors,
            at(4).descriptors,
            self.descriptors().rise,
            if self.is_flat() { "flat" } else { "NOT FLAT" },
        )
    }
}

/// Looks at all of them until `end`, about two hundred times but not more often than four times a second.
pub(crate) async fn watch(processes: &mut [Vitals], end: Instant) {
    let time = end.saturating_duration_since(Instant::now());
    let mut ticks =
        tokio::time::interval((time / 200).clamp(Duration::from_millis(250), Duration::from_secs(10)));
    while Instant::now() < end {
        ticks.tick().await;
        processes.iter_mut().for_each(Vitals::look);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vitals(rss_mib: impl Fn(f64) -> f64, descriptors: impl Fn(f64) -> f64) -> Vitals {
        let mut vitals = Vitals::of("made up", 0);
        let sample = |second: u32| f64::from(second);
        vitals.samples = (0..200)
            .map(sample)
            .map(|seconds| Sample { seconds, rss_mib: rss_mib(seconds), descriptors: descriptors(seconds) })
            .collect();
        vitals
    }

    /// The judge is judged.
    #[test]
    fn a_slow_leak_is_seen_and_a_warm_up_is_not_one() {
        let still = |_: f64| 30.0;
        let wave = |second: f64| 40.0 + 3.0 * (second / 3.0).sin();
        assert!(vitals(wave, still).is_flat());
        assert!(vitals(|second| 40.0 + second.min(90.0), still).is_flat(), "grew only while it warmed up");
        assert!(!vitals(|second| wave(second) + 0.06 * second, still).is_flat(), "6 MiB in the second half");
        assert!(vitals(|second| 400.0 + 0.1 * second, still).is_flat(), "10 of 400 MiB");
        let visitors = |second: f64| if second % 7.0 == 0.0 { 0.0 } else { 0.2 * second };
        assert!(vitals(wave, |second| 30.0 + visitors(second)).is_flat(), "more come, and all of them go");
        let leak = |second: f64| 30.0 + visitors(second) + 0.06 * second;
        assert!(!vitals(wave, leak).is_flat(), "6 descriptors in the second half");
    }
}
