//! A bare loop that writes the same bytes to N sockets: the least that a fan-out can cost.
//!
//! The loop runs in a process of its own, as the server does, on blocking sockets. It is told over its
//! standard input: first the text to write, then an empty line for every message.

use std::io::{BufRead as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use futures::{StreamExt, TryStreamExt};

use crate::gateway::fanout::Arrivals;

/// Connections that are opened at the same time; the loop's process accepts one after the other.
const PARALLEL: usize = 16;

/// The subcommand that the loop's process runs.
pub const COMMAND: &str = "bare-fanout";

/// The loop's process, and the readers of its sockets.
pub struct BareFanout {
    child: Child,
    /// A pipe that takes thousands of lines before it could block.
    input: ChildStdin,
    arrivals: Arc<Arrivals>,
}

impl BareFanout {
    /// Starts the process, connects `sockets` readers, and tells it what to write.
    ///
    /// # Errors
    /// When the process or a connection fails.
    pub async fn start(sockets: usize, text: &str) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(COMMAND).arg(sockets.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().context("a pipe")?;
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take().context("a pipe")?).read_line(&mut line)?;
        // From here on the process ends with this value, whatever fails.
        let arrivals = Arc::new(Arrivals::default());
        let mut bare = Self { child, input, arrivals: Arc::clone(&arrivals) };
        let address: SocketAddr = line.trim().parse().context("the bare loop did not say its address")?;
        let readers: Vec<_> = futures::stream::iter(0..sockets)
            .map(async |_| {
                let stream = tokio::net::TcpStream::connect(address).await?;
                let (stream, _) = tokio_tungstenite::client_async(format!("ws://{address}/"), stream).await?;
                anyhow::Ok(stream)
            })
            .buffer_unordered(PARALLEL)
            .try_collect()
            .await?;
        for mut stream in readers {
            let arrivals = Arc::clone(&arrivals);
            tokio::spawn(async move {
                while let Some(Ok(message)) = stream.next().await {
                    if message.is_text() {
                        arrivals.add(sockets as u64);
                    }
                }
            });
        }
        bare.input.write_all(format!("{text}\n").as_bytes())?;
        Ok(bare)
    }

    /// What the readers have seen.
    #[must_use]
    pub fn arrivals(&self) -> Arc<Arrivals> {
        Arc::clone(&self.arrivals)
    }

    /// Lets the loop write the text once to every socket.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn write(&mut self) -> anyhow::Result<()> {
        Ok(self.input.write_all(b"\n")?)
    }
}

impl Drop for BareFanout {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The loop itself: what the process does until its input ends.
///
/// # Errors
/// When a socket breaks.
#[allow(clippy::print_stdout, reason = "its parent reads the address there")]
pub fn run(sockets: usize) -> anyhow::Result<()> {
    crate::world::raise_open_files(sockets)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?);
    let mut streams: Vec<TcpStream> = Vec::with_capacity(sockets);
    for _ in 0..sockets {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let upgraded = tokio_tungstenite::tungstenite::accept(stream)
            .map_err(|error| anyhow::anyhow!("a handshake failed: {error}"))?;
        streams.push(upgraded.into_inner());
    }
    let mut lines = std::io::stdin().lock().lines();
    let text = lines.next().context("nothing to write")??;
    let frame = text_frame(&text)?;
    for line in lines {
        ensure!(line?.is_empty(), "an empty line means one message");
        for stream in &mut streams {
            stream.write_all(&frame)?;
        }
    }
    Ok(())
}

/// An unmasked text frame (RFC 6455, section 5.2) of medium length.
fn text_frame(text: &str) -> anyhow::Result<Vec<u8>> {
    let length = u16::try_from(text.len()).context("a frame of at most 65,535 bytes")?;
    let mut frame = vec![0x81];
    if length < 126 {
        frame.push(length as u8);
    } else {
        frame.push(126);
        frame.extend(length.to_be_bytes());
    }
    frame.extend(text.as_bytes());
    Ok(frame)
}
