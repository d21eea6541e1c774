//! What a running program takes of the machine, read from the kernel.

/// Memory and files of a process at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Footprint {
    /// Resident memory.
    pub(crate) rss_kib: u64,
    /// Open files, connections among them.
    pub(crate) files: usize,
}

impl Footprint {
    /// Of a process that runs.
    pub(crate) fn of(process: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
        let number = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
        let files = std::fs::read_dir(format!("/proc/{process}/fd")).expect("it runs").count();
        Self { rss_kib: number, files }
    }
}
