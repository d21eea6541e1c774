//! A TCP proxy that does to connections what networks do: it delays, falls silent in one direction or both,
//! resets, and is cut. Silence is not loss: as with TCP, what was on its way arrives when the silence is
//! over.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::free_address;

/// Read at once: with a delay, this much goes through in that time.
const CHUNK_BYTES: usize = 64 * 1024;

/// What the network is like, for all connections, those of now and those to come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// Of everything, in each direction.
    pub delay: Duration,
    /// Nothing that a client sends arrives.
    pub no_way_up: bool,
    /// Nothing that it is sent arrives.
    pub no_way_down: bool,
    /// All connections end, and new ones are ended at once.
    pub is_cut: bool,
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Up,
    Down,
}

impl Weather {
    const fn lets_through(&self, way: Way) -> bool {
        match way {
            Way::Up => !self.no_way_up,
            Way::Down => !self.no_way_down,
        }
    }
}

/// A proxy; it and its connections end when dropped.
pub struct Proxy {
    address: SocketAddr,
    /// From the test to new connections: empty until it is known where to connect to.
    target: watch::Sender<String>,
    /// From the test to every connection.
    weather: watch::Sender<Weather>,
    /// From the test to every connection: one more for each reset.
    resets: watch::Sender<u64>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Listens; connections wait until [`Proxy::aim`].
    pub async fn start() -> Self {
        let address = free_address();
        let listener = TcpListener::bind(address).await.unwrap();
        let target = watch::Sender::new(String::new());
        let weather = watch::Sender::new(Weather::default());
        let resets = watch::Sender::new(0);
        let (target_now, weather_now, resets_now) =
            (target.subscribe(), weather.subscribe(), resets.subscribe());
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(relay(client, target_now.clone(), weather_now.clone(), resets_now.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, target, weather, resets, task }
    }

    /// In front of `target`, from now on.
    pub fn aim(&self, target: impl ToString) {
        self.target.send_replace(target.to_string());
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on, the network is like this.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Ends all connections of now with RST.
    pub fn reset(&self) {
        self.resets.send_modify(|count| *count += 1);
    }
}

async fn relay(
    client: TcpStream,
    mut target: watch::Receiver<String>,
    weather: watch::Receiver<Weather>,
    mut resets: watch::Receiver<u64>,
) {
    resets.mark_unchanged();
    let Ok(target) = target.wait_for(|target| !target.is_empty()).await.map(|target| target.clone()) else {
        return;
    };
    if weather.borrow().is_cut {
        return;
    }
    let mut cut = weather.clone();
    let Ok(server) = TcpStream::connect(target).await else { return };
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("an open connection");
    }
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let reset = tokio::select! {
        _ = async {
            tokio::join!(
                pump(&mut from_client, &mut to_server, weather.clone(), Way::Up),
                pump(&mut from_server, &mut to_client, weather.clone(), Way::Down),
            )
        } => false,
        changed = resets.changed() => changed.is_ok(),
        _ = cut.wait_for(|weather| weather.is_cut) => false,
    };
    if reset {
        for half in [&from_client, &from_server] {
            // The other side may have been quicker.
            let _ = half.as_ref().set_zero_linger();
        }
        // Dropping these would say goodbye first.
        to_client.forget();
        to_server.forget();
    }
}

/// Until this direction is over: then the other end is told so.
async fn pump(
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    way: Way,
) {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = from.read(&mut chunk).await;
        let Ok(weather) = weather.wait_for(|weather| weather.lets_through(way)).await.map(|now| *now) else {
            return;
        };
        if !weather.delay.is_zero() {
            sleep(weather.delay).await;
        }
        match read {
            Ok(bytes) if bytes > 0 && to.write_all(&chunk[..bytes]).await.is_ok() => {}
            _ => {
                let _ = to.shutdown().await;
                return;
            }
        }
    }
}
