//! The settings of all Milena programs, from one place.
//!
//! Read order: `config/default.toml` (compiled in), a program's own defaults, a file, environment variables
//! `MILENA__SECTION__KEY`. Unknown keys are refused, every mistake is reported at once, and neither `Debug`
//! nor a mistake shows a secret.

mod environment;
mod forms;
mod given;
mod load;
mod mistakes;
mod networks;
mod public_url;
mod secret;
mod sections;

pub use load::{DEFAULTS, Source};
pub use mistakes::Mistakes;
pub use networks::{Networks, NotANetwork};
pub use public_url::{NotAPublicUrl, PublicUrl};
pub use secret::Secret;
pub use sections::{
    BrokerAuthentication, BrokerSettings, ChatSettings, ConsumerSettings, DatabaseSettings, DeliverySettings,
    HttpSettings, KafkaSettings, LimitSettings, LoggingSettings, RoomSettings, SecureCookies, Settings,
    SocketSettings, SyncMode,
};
