//! Several PostgreSQL servers, of which one takes writes at a time.
//!
//! The driver's pool connects to one place. That place is the first server that answers and is no standby;
//! when calls fail, the servers are asked again, and connections from then on go to the one that takes writes
//! now.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{self, Connection, Executor, PgConnection, PgPool, Row};

use crate::address::{Address, ipv6_of};

/// One server may take so long to say whether it takes writes.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// The servers of one URL with several hosts.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    places: Arc<[PgConnectOptions]>,
    /// Whether somebody asks them at the moment.
    asking: Arc<AtomicBool>,
}

impl Hosts {
    /// `None` when there is one host only. The URLs have been read before.
    pub(crate) fn of(address: &Address) -> Option<Self> {
        let places: Vec<_> = address.urls().iter().filter_map(|url| postgres_options(url).ok()).collect();
        (places.len() > 1).then(|| Self { places: places.into(), asking: Arc::default() })
    }

    /// The index of the first server that takes writes; else what the last one said.
    pub(crate) async fn primary(&self) -> Result<usize, sqlx::Error> {
        let mut last = sqlx::Error::PoolTimedOut;
        for (index, place) in self.places.iter().enumerate() {
            match tokio::time::timeout(ANSWER_LIMIT, is_standby(place)).await {
                Ok(Ok(false)) => return Ok(index),
                Ok(Ok(true)) => last = sqlx::Error::Protocol("every server that answers is a standby".into()),
                Ok(Err(error)) => last = error,
                Err(_) => last = sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()),
            }
        }
        Err(last)
    }

    /// Asks the servers in a task of its own, which ends within seconds, and leads new connections of `pool`
    /// to the one that takes writes. One at a time.
    pub(crate) fn look_again(&self, pool: PgPool) {
        if self.asking.swap(true, Ordering::AcqRel) {
            return;
        }
        let hosts = self.clone();
        tokio::spawn(async move {
            if let Ok(index) = hosts.primary().await {
                let (now, wanted) = (pool.connect_options(), &hosts.places[index]);
                if (now.get_host(), now.get_port()) != (wanted.get_host(), wanted.get_port()) {
                    let (host, port) = (wanted.get_host(), wanted.get_port());
                    log::warn!(host, port; "connections to the database go to another server from now on");
                    pool.set_connect_options((*now).clone().host(host).port(port));
                }
            }
            hosts.asking.store(false, Ordering::Release);
        });
    }
}

/// A URL of one host as the driver takes it.
pub(crate) fn postgres_options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?
        // A pooler between here and the server refuses this parameter, and nothing here reads texts of
        // floats.
        .extra_float_digits(None);
    Ok(match ipv6_of(url) {
        Some(address) => options.host(address),
        None => options,
    })
}

async fn is_standby(place: &PgConnectOptions) -> Result<bool, sqlx::Error> {
    let mut connection = PgConnection::connect_with(place).await?;
    // Without a prepared statement: a pooler may stand in between.
    let row = connection.fetch_one("SELECT pg_is_in_recovery()").await?;
    let standby = row.try_get(0)?;
    connection.close().await?;
    Ok(standby)
}
