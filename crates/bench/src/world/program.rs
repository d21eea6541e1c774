//! A child process: its output goes to a file whose end is told when it ends too early; it never outlives the
//! bench.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use super::Place;
use crate::measure::process::Watched;

const LOG_END_LINES: usize = 20;

/// A running program; killed when dropped.
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

/// The command of one of Milena's programs, without settings that come from the environment by accident.
///
/// # Errors
/// When it is not built.
pub(super) fn command(place: &Place, program: &str) -> anyhow::Result<Command> {
    let own = std::env::current_exe().context("the folder of milena-bench is not known")?;
    let beside = own.parent().map(Path::to_owned).unwrap_or_default();
    let path = place.programs.clone().unwrap_or(beside).join(program);
    if !path.exists() {
        bail!("{} is missing: build it, or name its folder with --programs", path.display());
    }
    let mut command = Command::new(path);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("MILENA_")) {
            command.env_remove(name);
        }
    }
    Ok(command)
}

impl Program {
    /// Starts it; `folder` takes its output.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn start(mut command: Command, name: &str, folder: &Path) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("{} cannot be written", log.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        Ok(Self { name: name.to_owned(), child, log })
    }

    /// For the report.
    #[must_use]
    pub fn watched(&self) -> Watched {
        Watched { name: self.name.clone(), pid: self.child.id(), is_measured: true }
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// With the end of what it said when it does not.
    pub fn check(&mut self) -> anyhow::Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = said.lines().collect();
        let end = lines[lines.len().saturating_sub(LOG_END_LINES)..].join("\n");
        bail!("{} ended with {status}; it said:\n{end}", self.name)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
