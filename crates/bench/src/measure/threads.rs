//! Where the CPU time goes: by groups of threads of the same name, which is as good as a profile of who does
//! what and needs no tools.

use std::collections::BTreeMap;
use std::fs;

use super::process::{Watched, cpu_s};

/// CPU seconds by `process/thread`, since the threads were started.
type CpuByThread = BTreeMap<String, f64>;

/// The threads of several processes over a span of time.
#[derive(Debug)]
pub struct ThreadMeter {
    processes: Vec<Watched>,
    before: CpuByThread,
}

impl ThreadMeter {
    /// The span begins.
    #[must_use]
    pub fn start(processes: &[Watched]) -> Self {
        Self { processes: processes.to_vec(), before: now(processes) }
    }

    /// CPU seconds of each group since [`ThreadMeter::start`], the greatest first. The time of a thread that
    /// ended meanwhile is not known any more.
    #[must_use]
    pub fn read(&self) -> Vec<(String, f64)> {
        let since = |(name, cpu_s): (String, f64)| {
            let before = self.before.get(&name).copied().unwrap_or_default();
            (name, (cpu_s - before).max(0.0))
        };
        let mut groups: Vec<_> = now(&self.processes).into_iter().map(since).collect();
        groups.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        groups
    }
}

fn now(processes: &[Watched]) -> CpuByThread {
    let mut groups = CpuByThread::new();
    for process in processes {
        let Ok(tasks) = fs::read_dir(format!("/proc/{}/task", process.pid)) else { continue };
        for task in tasks.flatten() {
            // A thread may end between the two reads.
            let read = |file: &str| fs::read_to_string(task.path().join(file)).ok();
            let (Some(name), Some(stat)) = (read("comm"), read("stat")) else { continue };
            let group = format!("{}/{}", process.name, group_of(name.trim_end()));
            *groups.entry(group).or_default() += cpu_s(&stat).unwrap_or_default();
        }
    }
    groups
}

/// Threads that differ by a number only do the same.
fn group_of(thread: &str) -> &str {
    thread.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_that_worked_is_named() {
        let me = Watched { name: "me".to_owned(), pid: std::process::id(), is_measured: true };
        let (sender, wait) = std::sync::mpsc::channel::<()>();
        let (ready, started) = std::sync::mpsc::channel();
        let work = move || {
            started_with(&ready);
            // Lives until it was looked at.
            let _ = wait.recv();
        };
        let meter = ThreadMeter::start(&[me]);
        let thread = std::thread::Builder::new().name("worker-7".to_owned()).spawn(work).unwrap();
        started.recv().unwrap();
        let groups = meter.read();
        drop(sender);
        thread.join().unwrap();
        let (_, cpu_s) = groups.iter().find(|(name, _)| name == "me/worker").unwrap();
        assert!(*cpu_s >= 0.03, "{groups:?}");
    }

    /// Uses some CPU time, as the kernel counts it, and says so.
    fn started_with(ready: &std::sync::mpsc::Sender<()>) {
        let stat = || fs::read_to_string("/proc/thread-self/stat").unwrap();
        while cpu_s(&stat()).unwrap() < 0.04 {}
        ready.send(()).unwrap();
    }

    #[test]
    fn numbers_make_no_difference() {
        assert_eq!(group_of("rdk:broker-1"), "rdk:broker");
        assert_eq!(group_of("kafka-tail"), "kafka-tail");
    }
}
