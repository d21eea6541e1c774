//! What a process costs: CPU seconds and memory, as the kernel counts them.

use std::fs;
use std::io;

use anyhow::Context as _;

/// Linux counts a process's CPU time in ticks of 10 ms, whatever its own clock is (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process has used since its start, and holds now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// CPU time of all its threads, in user and kernel mode; children that ended are not in it.
    pub cpu_s: f64,
    /// Resident memory now.
    pub rss_kib: u64,
    /// The most resident memory it ever had.
    pub peak_rss_kib: u64,
}

impl Usage {
    /// Of one process.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let read = |file: &str| {
            fs::read_to_string(format!("/proc/{pid}/{file}"))
                .with_context(|| format!("process {pid} is not there"))
        };
        let cpu_s = cpu_s(&read("stat")?).with_context(|| format!("/proc/{pid}/stat is not understood"))?;
        let status = read("status")?;
        // A process that is ending has no memory any more.
        let kib = |name: &str| field_kib(&status, name).unwrap_or(0);
        Ok(Self { cpu_s, rss_kib: kib("VmRSS:"), peak_rss_kib: kib("VmHWM:") })
    }

    /// Of a process and those that it started and that still run, added up. Memory that they share counts for
    /// each.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn of_tree(pid: u32) -> anyhow::Result<Self> {
        let mut total = Self::of(pid)?;
        for child in children(pid)? {
            // A child may end between the two reads.
            let Ok(usage) = Self::of_tree(child) else { continue };
            total.cpu_s += usage.cpu_s;
            total.rss_kib += usage.rss_kib;
            total.peak_rss_kib += usage.peak_rss_kib;
        }
        Ok(total)
    }
}

/// The 14th and 15th field of `/proc/PID/stat`. The second, the name, may contain anything, and is in
/// parentheses.
pub(super) fn cpu_s(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let ticks: f64 = fields.next()?.parse().ok()?;
    let more: f64 = fields.next()?.parse().ok()?;
    Some((ticks + more) / TICKS_PER_SECOND)
}

fn field_kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn children(pid: u32) -> io::Result<Vec<u32>> {
    let mut children = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let listed = fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        children.extend(listed.split_ascii_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    Ok(children)
}

/// A process that takes part in a bench.
#[derive(Debug, Clone)]
pub struct Watched {
    /// As it is called in the report.
    pub name: String,
    /// Its process id; its children are counted with it.
    pub pid: u32,
    /// Whether it belongs to the system that is measured; the load generator and the limit's tools do not.
    pub is_measured: bool,
}

/// The use of several processes over a span of time.
#[derive(Debug)]
pub struct Meter(Vec<(Watched, Usage)>);

/// What one process used in the span.
#[derive(Debug)]
pub struct Span {
    /// Which.
    pub watched: Watched,
    /// CPU seconds in the span.
    pub cpu_s: f64,
    /// Resident memory at its start.
    pub rss_before_kib: u64,
    /// At its end, and the peak since the process started.
    pub end: Usage,
}

impl Meter {
    /// The span begins.
    ///
    /// # Errors
    /// When one of them does not run.
    pub fn start(processes: &[Watched]) -> anyhow::Result<Self> {
        let begin = |watched: &Watched| Ok((watched.clone(), Usage::of_tree(watched.pid)?));
        processes.iter().map(begin).collect::<anyhow::Result<_>>().map(Self)
    }

    /// What was used since [`Meter::start`]. Can be asked again.
    ///
    /// # Errors
    /// When one of them has ended.
    pub fn read(&self) -> anyhow::Result<Vec<Span>> {
        let end = |(watched, before): &(Watched, Usage)| {
            let end = Usage::of_tree(watched.pid)?;
            let cpu_s = (end.cpu_s - before.cpu_s).max(0.0);
            Ok(Span { watched: watched.clone(), cpu_s, rss_before_kib: before.rss_kib, end })
        };
        self.0.iter().map(end).collect()
    }
}

/// Adds a later span of the same processes to what was used in earlier ones.
pub fn add_spans(total: &mut Vec<Span>, later: Vec<Span>) {
    if total.is_empty() {
        *total = later;
        return;
    }
    for (sum, span) in total.iter_mut().zip(later) {
        sum.cpu_s += span.cpu_s;
        sum.end = span.end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 1 2 3 4 250 150 9 9 20 0 1 0 5 6 7";
        assert_eq!(cpu_s(stat), Some(4.0));
        assert_eq!(cpu_s("7 (x) S 1"), None);
        assert_eq!(field_kib("VmHWM:\t  12 kB\nVmRSS:\t    8 kB\n", "VmRSS:"), Some(8));
    }

    #[test]
    fn a_process_knows_itself_and_its_children() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let me = std::process::id();
        let (alone, tree) = (Usage::of(me).unwrap(), Usage::of_tree(me).unwrap());
        assert!(alone.rss_kib > 500 && alone.peak_rss_kib >= alone.rss_kib);
        assert!(tree.peak_rss_kib > alone.peak_rss_kib, "{tree:?} {alone:?}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(Usage::of(child.id()).is_err());
    }

    #[test]
    fn a_meter_counts_work_and_misses_nobody() {
        let me = Watched { name: "me".to_owned(), pid: std::process::id(), is_measured: true };
        let meter = Meter::start(std::slice::from_ref(&me)).unwrap();
        let begun = std::time::Instant::now();
        let mut sum = 0_u64;
        let before = Usage::of(me.pid).unwrap().cpu_s;
        // Until it is counted: on a busy machine that may take long.
        while Usage::of(me.pid).unwrap().cpu_s < before + 0.05 && begun.elapsed().as_secs() < 60 {
            for _ in 0..100_000 {
                sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(1));
            }
        }
        let spans = meter.read().unwrap();
        assert!(spans[0].cpu_s >= 0.02 && spans[0].end.rss_kib > 0, "{spans:?}");
        let nobody = Watched { pid: u32::MAX, ..me };
        assert!(Meter::start(&[nobody]).is_err());
    }
}
